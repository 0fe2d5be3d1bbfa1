use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cosell_types::standard::{COUNTRY, INDUSTRY};
use cosell_types::{AccountId, FieldPath, MemberId, Side, Violation, ViolationCode, revision_time, text_id};
use serde::{Deserialize, Serialize};

use super::values::{AccountStatus, PartnerTier, PartnerType, ProfileVisibility, SolutionType};
use super::{AccountEvent, DailyCounter, Limit, Preferences, Quotas, Rule};

text_id!(
    /// A profile: `pprofile-` and 13 lower-case letters or digits.
    ProfileId,
    "profile id",
    "pprofile- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "pprofile-")
);

/// The account aggregate: a partner account, or the AWS account. It changes only through its methods. Each method
/// checks all rules first, changes nothing when one is violated, and returns the event to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    id: AccountId,
    side: Side,
    revision: i64,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    facts: AccountFacts,
    terms: Option<TermsAcceptance>,
    profile: Option<Profile>,
    preferences: Preferences,
    profile_updates: DailyCounter,
    visibility_updates: DailyCounter,
}

/// The part of an account that only provisioning sets (DIR-050).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFacts {
    /// Provisioning alone suspends and reinstates an account.
    pub status: AccountStatus,
    /// The name of the company in its contracts.
    pub legal_name: String,
    /// The name of the company in invitations and connections.
    pub display_name: String,
    /// Searched by partners; may be empty.
    pub partner_types: BTreeSet<PartnerType>,
    /// Records stored without a tier are registered.
    #[serde(default)]
    pub tier: PartnerTier,
    /// Partner programs that the account is enrolled in.
    pub programs: BTreeSet<String>,
    /// Competencies and other designations in the partner program.
    pub specializations: BTreeSet<String>,
}

/// The acceptance of the program terms (DIR-003).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermsAcceptance {
    /// The time of the first acceptance.
    pub time: DateTime<Utc>,
    /// The member who accepted; none if provisioning recorded the acceptance.
    pub by: Option<MemberId>,
}

/// The profile that an account presents to other partners (DIR-030, DIR-031).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Identifies the account to others before they are connected; never changes.
    pub id: ProfileId,
    /// Private at first.
    pub visibility: ProfileVisibility,
    /// Replaced as a whole by every update.
    pub text: ProfileText,
}

/// The content of a profile. The interface validates lengths and formats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are documented once, in partner.proto")]
pub struct ProfileText {
    pub display_name: String,
    pub description: String,
    pub website_url: String,
    pub logo_url: String,
    pub solution_type: SolutionType,
    pub industries: Vec<String>,
    pub locale: String,
    pub localized: Vec<LocalizedContent>,
    pub country_code: String,
}

/// A translation of the texts of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are documented once, in partner.proto")]
pub struct LocalizedContent {
    pub locale: String,
    pub display_name: String,
    pub description: String,
}

impl ProfileText {
    /// The violations that the interface does not check: standard values and duplicates (DIR-030).
    pub fn violations(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        let root = FieldPath::root();
        let industries = root.field("industry_segments");
        for (index, industry) in self.industries.iter().enumerate() {
            let at = industries.index(index);
            if !INDUSTRY.has(industry) {
                violations.push(Violation::not_in(&INDUSTRY, &at).with_rejected_value(industry));
            } else if self.industries[..index].contains(industry) {
                violations.push(Violation::new(
                    &at,
                    ViolationCode::DuplicateKeyValue,
                    "Duplicate value: each entry may be listed only once.",
                ));
            }
        }
        if !self.country_code.is_empty() && !COUNTRY.has(&self.country_code) {
            let at = root.field("headquarters_country_code");
            violations.push(Violation::not_in(&COUNTRY, &at).with_rejected_value(&self.country_code));
        }
        let localized = root.field("localized_contents");
        for (index, content) in self.localized.iter().enumerate() {
            let is_duplicate = self.localized[..index]
                .iter()
                .any(|earlier| earlier.locale.eq_ignore_ascii_case(&content.locale));
            if is_duplicate || content.locale.eq_ignore_ascii_case(&self.locale) {
                let at = localized.index(index);
                let at = at.field("locale");
                violations.push(Violation::new(
                    &at,
                    ViolationCode::DuplicateKeyValue,
                    "Duplicate value: each entry may be listed only once.",
                ));
            }
        }
        violations
    }
}

impl Account {
    /// Creates an account from its first record of the master list (DIR-050).
    pub fn register(
        id: AccountId,
        side: Side,
        facts: AccountFacts,
        terms_accepted: bool,
        profile: Option<Profile>,
        now: DateTime<Utc>,
    ) -> (Self, AccountEvent) {
        let account = Self {
            id,
            side,
            revision: 1,
            create_time: now,
            update_time: now,
            facts,
            terms: terms_accepted.then_some(TermsAcceptance { time: now, by: None }),
            profile,
            preferences: Preferences::default(),
            profile_updates: DailyCounter::default(),
            visibility_updates: DailyCounter::default(),
        };
        (account, AccountEvent::Registered)
    }

    /// Applies the next difference from a record of the master list, as one revision with one event; none when the
    /// account equals the record (DIR-050). Call it until it returns none. Accepted terms stay accepted; without
    /// `profile` the present one stays.
    pub fn provision_next_change(
        &mut self,
        facts: &AccountFacts,
        terms_accepted: bool,
        profile: Option<&Profile>,
        now: DateTime<Utc>,
    ) -> Option<AccountEvent> {
        let event = if facts.status != self.facts.status {
            self.facts.status = facts.status;
            match facts.status {
                AccountStatus::Active => AccountEvent::Reinstated,
                AccountStatus::Suspended => AccountEvent::Suspended,
            }
        } else if *facts != self.facts {
            self.facts = facts.clone();
            AccountEvent::DetailsChanged
        } else if terms_accepted && self.terms.is_none() {
            self.terms = Some(TermsAcceptance { time: now, by: None });
            AccountEvent::TermsAccepted
        } else {
            self.provision_profile(profile?)?
        };
        Some(self.advance_revision(event, now))
    }

    fn provision_profile(&mut self, listed: &Profile) -> Option<AccountEvent> {
        match &mut self.profile {
            Some(own) if own.text == listed.text && own.visibility == listed.visibility => None,
            Some(own) if own.text == listed.text => {
                own.visibility = listed.visibility;
                Some(AccountEvent::ProfileVisibilityChanged)
            }
            Some(own) => {
                own.text = listed.text.clone();
                Some(AccountEvent::ProfileUpdated)
            }
            // A new profile is private at first, as after UpdateProfile; its visibility is the next change.
            None => {
                let visibility = ProfileVisibility::Private;
                self.profile = Some(Profile {
                    visibility,
                    ..listed.clone()
                });
                Some(AccountEvent::ProfileUpdated)
            }
        }
    }

    /// Accepts the terms; no event if they were accepted before (DIR-003).
    pub fn accept_terms(&mut self, by: &MemberId, now: DateTime<Utc>) -> Option<AccountEvent> {
        if self.terms.is_some() {
            return None;
        }
        self.terms = Some(TermsAcceptance {
            time: now,
            by: Some(by.clone()),
        });
        Some(self.advance_revision(AccountEvent::TermsAccepted, now))
    }

    /// Replaces the content of the profile; creates a private one with this `id` if there is none. No event if the
    /// content is the same (DIR-030, DIR-032).
    pub fn update_profile(
        &mut self,
        id: ProfileId,
        text: ProfileText,
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<Option<AccountEvent>, Rule> {
        let violations = text.violations();
        if !violations.is_empty() {
            let violations = violations
                .into_iter()
                .map(|violation| violation.with_parent("profile"));
            return Err(Rule::Invalid(violations.collect()));
        }
        if self.profile.as_ref().is_some_and(|profile| profile.text == text) {
            return Ok(None);
        }
        self.profile_updates
            .increment(now, Limit::ProfileUpdatesPerDay, quotas.profile_updates_per_day)?;
        match &mut self.profile {
            Some(profile) => profile.text = text,
            None => {
                let visibility = ProfileVisibility::Private;
                self.profile = Some(Profile { id, visibility, text });
            }
        }
        Ok(Some(self.advance_revision(AccountEvent::ProfileUpdated, now)))
    }

    /// Makes the profile public or private; no event if it is so already (DIR-031, DIR-032).
    pub fn set_profile_visibility(
        &mut self,
        visibility: ProfileVisibility,
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<Option<AccountEvent>, Rule> {
        let profile = self.profile.as_mut().ok_or(Rule::ProfileRequired)?;
        if profile.visibility == visibility {
            return Ok(None);
        }
        self.visibility_updates.increment(
            now,
            Limit::VisibilityUpdatesPerDay,
            quotas.visibility_updates_per_day,
        )?;
        profile.visibility = visibility;
        Ok(Some(
            self.advance_revision(AccountEvent::ProfileVisibilityChanged, now),
        ))
    }

    /// Replaces the connection preferences (CON-030, CON-031).
    pub fn replace_preferences(&mut self, preferences: Preferences, now: DateTime<Utc>) -> AccountEvent {
        self.preferences = preferences;
        self.advance_revision(AccountEvent::ConnectionPreferencesUpdated, now)
    }

    /// Refuses a suspended account (DIR-001).
    pub fn require_active(&self) -> Result<(), Rule> {
        match self.facts.status {
            AccountStatus::Active => Ok(()),
            AccountStatus::Suspended => Err(Rule::AccountSuspended),
        }
    }

    /// Refuses an account below the tier that connections require (CON-005).
    pub fn require_tier(&self, quotas: &Quotas) -> Result<(), Rule> {
        let (tier, required) = (self.facts.tier, quotas.connection_tier);
        if tier < required {
            return Err(Rule::IneligibleTier { tier, required });
        }
        Ok(())
    }

    fn advance_revision(&mut self, event: AccountEvent, now: DateTime<Utc>) -> AccountEvent {
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
        event
    }
}

#[expect(missing_docs, reason = "reads a field of the same name")]
impl Account {
    pub fn id(&self) -> &AccountId {
        &self.id
    }

    pub fn side(&self) -> Side {
        self.side
    }

    pub fn revision(&self) -> i64 {
        self.revision
    }

    pub fn create_time(&self) -> DateTime<Utc> {
        self.create_time
    }

    pub fn update_time(&self) -> DateTime<Utc> {
        self.update_time
    }

    pub fn facts(&self) -> &AccountFacts {
        &self.facts
    }

    pub fn terms(&self) -> Option<&TermsAcceptance> {
        self.terms.as_ref()
    }

    pub fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    pub fn preferences(&self) -> &Preferences {
        &self.preferences
    }
}
