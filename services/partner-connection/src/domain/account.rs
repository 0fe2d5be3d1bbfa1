use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cosell_types::standard::{COUNTRY, INDUSTRY};
use cosell_types::{AccountId, FieldPath, MemberId, Side, Violation, ViolationCode, revision_time, text_id};
use serde::{Deserialize, Serialize};

use super::values::{AccountStatus, PartnerTier, PartnerType, ProfileVisibility, SolutionType};
use super::{AccountEvent, Limit, Preferences, Quotas, Rule, Tally};

text_id!(
    /// A profile: `pprofile-` and 13 lower-case letters or digits.
    ProfileId,
    "profile id",
    "pprofile- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "pprofile-")
);

/// A company that takes part: the aggregate. It changes only through its methods, each of which checks everything
/// first, changes nothing when a rule is broken, and returns what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    id: AccountId,
    side: Side,
    revision: i64,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    facts: AccountFacts,
    terms: Option<Terms>,
    profile: Option<Profile>,
    preferences: Preferences,
    profile_updates: Tally,
    visibility_updates: Tally,
}

/// What the master list says about a company.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFacts {
    /// Whether it takes part.
    pub status: AccountStatus,
    /// Its name in law.
    pub legal_name: String,
    /// The name that it goes by.
    pub display_name: String,
    /// What kind of partner it is.
    pub partner_types: BTreeSet<PartnerType>,
    /// How far it has come in the programme.
    #[serde(default)]
    pub tier: PartnerTier,
    /// Programmes that it takes part in.
    pub programs: BTreeSet<String>,
    /// Competencies and other designations.
    pub specializations: BTreeSet<String>,
}

/// That the terms of the programme were accepted (DIR-003).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// When.
    pub time: DateTime<Utc>,
    /// By whom; none when it was elsewhere.
    pub by: Option<MemberId>,
}

/// What a company tells other partners, and who finds it (DIR-030, DIR-031).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// How others name the company before they are connected.
    pub id: ProfileId,
    /// Who finds it.
    pub visibility: ProfileVisibility,
    /// What it says.
    pub text: ProfileText,
}

/// What a profile says. Lengths and forms are checked at the interface.
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

/// The texts of a profile in one more language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are documented once, in partner.proto")]
pub struct LocalizedContent {
    pub locale: String,
    pub display_name: String,
    pub description: String,
}

impl ProfileText {
    /// What is wrong with it beyond lengths and forms (DIR-030).
    pub fn wrong(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        let root = FieldPath::root();
        let industries = root.field("industry_segments");
        for (index, industry) in self.industries.iter().enumerate() {
            let at = industries.index(index);
            if !INDUSTRY.has(industry) {
                found.push(Violation::not_in(&INDUSTRY, &at).rejecting(industry));
            } else if self.industries[..index].contains(industry) {
                found.push(Violation::new(
                    &at,
                    ViolationCode::DuplicateKeyValue,
                    "is there twice",
                ));
            }
        }
        if !self.country_code.is_empty() && !COUNTRY.has(&self.country_code) {
            let at = root.field("headquarters_country_code");
            found.push(Violation::not_in(&COUNTRY, &at).rejecting(&self.country_code));
        }
        let localized = root.field("localized_contents");
        for (index, content) in self.localized.iter().enumerate() {
            let is_repeated = self.localized[..index]
                .iter()
                .any(|earlier| earlier.locale.eq_ignore_ascii_case(&content.locale));
            if is_repeated || content.locale.eq_ignore_ascii_case(&self.locale) {
                let at = localized.index(index);
                let at = at.field("locale");
                found.push(Violation::new(
                    &at,
                    ViolationCode::DuplicateKeyValue,
                    "is there twice",
                ));
            }
        }
        found
    }
}

impl Account {
    /// Takes a company into the directory (DIR-050).
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
            terms: terms_accepted.then_some(Terms { time: now, by: None }),
            profile,
            preferences: Preferences::default(),
            profile_updates: Tally::default(),
            visibility_updates: Tally::default(),
        };
        (account, AccountEvent::Registered)
    }

    /// Takes the next step towards what the master list has, each of which is one thing that happens; none when there is
    /// nothing left to do (DIR-050). Terms that were accepted stay so, and so does a profile that the list does not have.
    pub fn provision(
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
            self.terms = Some(Terms { time: now, by: None });
            AccountEvent::TermsAccepted
        } else {
            self.take_over(profile?)?
        };
        Some(self.changed(event, now))
    }

    /// The next step towards this profile.
    fn take_over(&mut self, listed: &Profile) -> Option<AccountEvent> {
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
            // A new one is hidden at first, as the partner's own would be.
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

    /// Accepts the terms; none when they were accepted before (DIR-003).
    pub fn accept_terms(&mut self, by: &MemberId, now: DateTime<Utc>) -> Option<AccountEvent> {
        if self.terms.is_some() {
            return None;
        }
        self.terms = Some(Terms {
            time: now,
            by: Some(by.clone()),
        });
        Some(self.changed(AccountEvent::TermsAccepted, now))
    }

    /// Writes the profile; `id` is for the first time. None when it said the same before (DIR-030, DIR-032).
    pub fn write_profile(
        &mut self,
        id: ProfileId,
        text: ProfileText,
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<Option<AccountEvent>, Rule> {
        let wrong = text.wrong();
        if !wrong.is_empty() {
            let wrong = wrong.into_iter().map(|violation| violation.under("profile"));
            return Err(Rule::Invalid(wrong.collect()));
        }
        if self.profile.as_ref().is_some_and(|profile| profile.text == text) {
            return Ok(None);
        }
        self.profile_updates
            .count(now, Limit::ProfileUpdates, quotas.profile_updates_per_day)?;
        match &mut self.profile {
            Some(profile) => profile.text = text,
            None => {
                let visibility = ProfileVisibility::Private;
                self.profile = Some(Profile { id, visibility, text });
            }
        }
        Ok(Some(self.changed(AccountEvent::ProfileUpdated, now)))
    }

    /// Shows the company to other partners or hides it; none when it was so before (DIR-031, DIR-032).
    pub fn set_visibility(
        &mut self,
        visibility: ProfileVisibility,
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<Option<AccountEvent>, Rule> {
        let profile = self.profile.as_mut().ok_or(Rule::ProfileRequired)?;
        if profile.visibility == visibility {
            return Ok(None);
        }
        self.visibility_updates
            .count(now, Limit::VisibilityUpdates, quotas.visibility_updates_per_day)?;
        profile.visibility = visibility;
        Ok(Some(self.changed(AccountEvent::ProfileVisibilityChanged, now)))
    }

    /// Says whose invitations it takes (CON-030, CON-031).
    pub fn prefer(&mut self, preferences: Preferences, now: DateTime<Utc>) -> AccountEvent {
        self.preferences = preferences;
        self.changed(AccountEvent::ConnectionPreferencesUpdated, now)
    }

    /// Refuses what a suspended account may not do (DIR-001).
    pub fn require_active(&self) -> Result<(), Rule> {
        match self.facts.status {
            AccountStatus::Active => Ok(()),
            AccountStatus::Suspended => Err(Rule::AccountSuspended),
        }
    }

    /// Refuses a company that has not come far enough to connect (CON-005).
    pub fn require_tier(&self, quotas: &Quotas) -> Result<(), Rule> {
        let (tier, required) = (self.facts.tier, quotas.connection_tier);
        if tier < required {
            return Err(Rule::Tier { tier, required });
        }
        Ok(())
    }

    fn changed(&mut self, event: AccountEvent, now: DateTime<Utc>) -> AccountEvent {
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

    pub fn terms(&self) -> Option<&Terms> {
        self.terms.as_ref()
    }

    pub fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    pub fn preferences(&self) -> &Preferences {
        &self.preferences
    }
}
