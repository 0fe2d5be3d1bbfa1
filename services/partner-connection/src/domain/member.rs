use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use cosell_types::{
    AccountId, FieldPath, MemberId, Pii, Role, Side, Violation, ViolationCode, revision_time,
};
use serde::{Deserialize, Serialize};

use super::values::MemberStatus;
use super::{AttemptedAction, Limit, MemberEvent, Quotas, Rule};

/// Maximum members of an account with each of these roles (DIR-011).
const ROLE_LIMITS: [(Role, usize); 2] = [(Role::AllianceTeam, 20), (Role::AceManager, 20)];

/// The member aggregate: a user of one account. It changes only through its methods. Each method checks all rules
/// first, changes nothing when one is violated, and returns the event to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    id: MemberId,
    account: AccountId,
    side: Side,
    revision: i64,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    facts: MemberFacts,
    /// The operator's option on marketing staff, as far as it was applied to this member (ACC-013).
    #[serde(skip)]
    marketing_sees_all: bool,
}

/// The part of a member that can change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberFacts {
    /// A deactivated member retains its roles and details.
    pub status: MemberStatus,
    /// All of the account's side; may be empty.
    pub roles: BTreeSet<Role>,
    /// Name and contact details.
    pub person: Person,
}

/// Name and contact details of a member. The interface validates lengths and formats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are documented once, in member.proto")]
pub struct Person {
    pub first_name: Pii<String>,
    pub last_name: Pii<String>,
    /// In lower case.
    pub email: Pii<String>,
    pub title: Pii<String>,
    pub phone: Pii<String>,
}

/// The INVITED and ACTIVE members of an account that limits and uniqueness are checked against. Load it under the
/// account's lock. It may hold only a part of them: those with a limited role, or with the address that is checked.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    members: BTreeMap<MemberId, (Vec<Role>, Pii<String>)>,
    holders: BTreeMap<Role, usize>,
    emails: BTreeMap<Pii<String>, MemberId>,
    /// E-mail domains of the members; where an address is checked, also of those that the roster does not hold.
    pub email_domains: BTreeSet<String>,
}

impl Roster {
    /// Adds an INVITED or ACTIVE member.
    pub fn add(&mut self, id: MemberId, roles: impl IntoIterator<Item = Role>, email: Pii<String>) {
        let roles: Vec<_> = roles.into_iter().collect();
        for role in &roles {
            *self.holders.entry(*role).or_default() += 1;
        }
        self.email_domains.insert(email_domain(&email).to_owned());
        self.emails.insert(email.clone(), id.clone());
        self.members.insert(id, (roles, email));
    }

    /// Removes a member; does nothing if the roster does not hold it. Its e-mail domain stays.
    pub fn remove(&mut self, id: &MemberId) {
        let Some((roles, email)) = self.members.remove(id) else {
            return;
        };
        for role in roles {
            if let Some(count) = self.holders.get_mut(&role) {
                *count = count.saturating_sub(1);
            }
        }
        self.emails.remove(&email);
    }

    fn require_role_capacity(&self, role: Role) -> Result<(), Rule> {
        let holders = self.holders.get(&role).copied().unwrap_or_default();
        match ROLE_LIMITS.iter().find(|(limited, _)| *limited == role) {
            Some((_, max)) if holders >= *max => Err(Rule::RoleLimit(role, *max)),
            _ if role == Role::AllianceLead && holders > 0 => Err(Rule::RoleLimit(role, 1)),
            _ => Ok(()),
        }
    }

    /// Refuses an address of another member, and a domain that exceeds the limit (DIR-013).
    fn require_available_address(
        &self,
        id: &MemberId,
        email: &Pii<String>,
        quotas: &Quotas,
    ) -> Result<(), Rule> {
        match self.emails.get(email) {
            Some(holder) if holder == id => return Ok(()),
            Some(_) => return Err(Rule::DuplicateMember("person.email")),
            None => {}
        }
        if self.email_domains.contains(email_domain(email)) {
            return Ok(());
        }
        let current = i64::try_from(self.email_domains.len()).unwrap_or(i64::MAX);
        Limit::EmailDomains.check(current, quotas.email_domains)
    }
}

fn email_domain(email: &Pii<String>) -> &str {
    email.reveal().split('@').next_back().unwrap_or_default()
}

/// Whether a member may not have this id: that of the account, or one in the format of another kind of record. The
/// events of an account are keyed by these ids (DIR-013).
pub fn is_reserved_id(id: &MemberId, account: &AccountId) -> bool {
    let text = id.as_str();
    let prefixes = ["pac-", "pacinv-", "pprofile-"];
    text == account.as_str()
        || prefixes
            .iter()
            .any(|prefix| cosell_types::is_prefixed(text, prefix))
}

/// Roles that alliance team and cloud admin grant and withdraw (DIR-012).
const GRANTABLE_BY_ADMINISTRATORS: [Role; 6] = [
    Role::AceManager,
    Role::AceUser,
    Role::MarketingStaff,
    Role::TechnicalStaff,
    Role::ChannelUser,
    Role::StandardUser,
];

/// Refuses roles that the actor may not grant or withdraw. The role of the alliance lead is only transferred (DIR-012).
fn require_grantable<'a>(
    actor: &BTreeSet<Role>,
    roles: impl IntoIterator<Item = &'a Role>,
) -> Result<(), Rule> {
    let is_grantable = |role: &Role| {
        if actor.contains(&Role::AllianceLead) {
            *role != Role::AllianceLead
        } else {
            GRANTABLE_BY_ADMINISTRATORS.contains(role)
        }
    };
    let refused: Vec<_> = roles
        .into_iter()
        .copied()
        .filter(|role| !is_grantable(role))
        .collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Rule::NotGrantable(refused))
    }
}

/// Refuses roles of the opposite side (ACC-002).
fn require_roles_of_side(side: Side, roles: &BTreeSet<Role>) -> Result<(), Rule> {
    let root = FieldPath::root();
    let violations: Vec<_> = roles
        .iter()
        .filter(|role| role.side() != side)
        .map(|role| {
            let description = format!("Must not include {role}, a role of the other side.");
            Violation::new(&root.field("roles"), ViolationCode::InvalidValue, description)
        })
        .collect();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Rule::Invalid(violations))
    }
}

impl Member {
    /// Invites a person to join the account (DIR-010 to DIR-013).
    #[expect(clippy::too_many_arguments, reason = "facts from elsewhere are arguments")]
    pub fn invite(
        id: MemberId,
        account: AccountId,
        side: Side,
        person: Person,
        roles: BTreeSet<Role>,
        actor: &BTreeSet<Role>,
        roster: &Roster,
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<(Self, MemberEvent), Rule> {
        require_roles_of_side(side, &roles)?;
        require_grantable(actor, &roles)?;
        let facts = MemberFacts {
            status: MemberStatus::Invited,
            roles,
            person,
        };
        let member = Self::new(id, account, side, facts, now);
        member.check_against_roster(roster, quotas)?;
        Ok((member, MemberEvent::Invited))
    }

    /// Creates a member from its first record of the master list (DIR-050).
    pub fn register(
        id: MemberId,
        account: AccountId,
        side: Side,
        facts: MemberFacts,
        roster: &Roster,
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<(Self, MemberEvent), Rule> {
        require_roles_of_side(side, &facts.roles)?;
        let event = match facts.status {
            MemberStatus::Invited => MemberEvent::Invited,
            MemberStatus::Active | MemberStatus::Deactivated => MemberEvent::Registered,
        };
        let member = Self::new(id, account, side, facts, now);
        member.check_against_roster(roster, quotas)?;
        Ok((member, event))
    }

    /// Applies the next difference from a record of the master list, as one revision with one event; none when the
    /// member equals the record (DIR-050). Call it until it returns none. `roster` holds the other members.
    pub fn provision_next_change(
        &mut self,
        facts: &MemberFacts,
        roster: &Roster,
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<Option<MemberEvent>, Rule> {
        if *facts == self.facts {
            return Ok(None);
        }
        require_roles_of_side(self.side, &facts.roles)?;
        let provisioned = Self {
            facts: facts.clone(),
            ..self.clone()
        };
        provisioned.check_against_roster(roster, quotas)?;
        // A deactivation is the first change and a reinstatement the last, so that no revision in between counts
        // towards a limit that the record does not count towards.
        let is_leaving = facts.status == MemberStatus::Deactivated && self.facts.status != facts.status;
        let event = if !is_leaving && facts.person != self.facts.person {
            self.facts.person = facts.person.clone();
            MemberEvent::DetailsChanged
        } else if !is_leaving && facts.roles != self.facts.roles {
            self.replace_roles(facts.roles.clone());
            MemberEvent::RolesChanged
        } else {
            self.facts.status = facts.status;
            match facts.status {
                MemberStatus::Invited => MemberEvent::Invited,
                MemberStatus::Active => MemberEvent::Reinstated,
                MemberStatus::Deactivated => MemberEvent::Deactivated,
            }
        };
        Ok(Some(self.advance_revision(event, now)))
    }

    /// Accepts the membership; no event if the member has joined before (DIR-010).
    pub fn join(&mut self, now: DateTime<Utc>) -> Option<MemberEvent> {
        if self.facts.status != MemberStatus::Invited {
            return None;
        }
        self.facts.status = MemberStatus::Active;
        Some(self.advance_revision(MemberEvent::Joined, now))
    }

    /// Replaces name and contact details; no event if they are the same (DIR-013). `roster` holds the other members.
    pub fn update_details(
        &mut self,
        person: Person,
        roster: &Roster,
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<Option<MemberEvent>, Rule> {
        self.require_not_deactivated(AttemptedAction::Update)?;
        if person == self.facts.person {
            return Ok(None);
        }
        roster.require_available_address(&self.id, &person.email, quotas)?;
        self.facts.person = person;
        Ok(Some(self.advance_revision(MemberEvent::DetailsChanged, now)))
    }

    /// Replaces the roles; no event if they are the same (DIR-011, DIR-012). `roster` holds the other members.
    pub fn set_roles(
        &mut self,
        roles: BTreeSet<Role>,
        actor: &BTreeSet<Role>,
        roster: &Roster,
        now: DateTime<Utc>,
    ) -> Result<Option<MemberEvent>, Rule> {
        self.require_not_deactivated(AttemptedAction::SetRoles)?;
        require_roles_of_side(self.side, &roles)?;
        if self.facts.roles.contains(&Role::AllianceLead) && !roles.contains(&Role::AllianceLead) {
            return Err(Rule::AllianceLeadRequired);
        }
        require_grantable(actor, roles.symmetric_difference(&self.facts.roles))?;
        for role in roles.difference(&self.facts.roles) {
            roster.require_role_capacity(*role)?;
        }
        if roles == self.facts.roles {
            return Ok(None);
        }
        self.replace_roles(roles);
        Ok(Some(self.advance_revision(MemberEvent::RolesChanged, now)))
    }

    /// Ends the membership (DIR-010 to DIR-012).
    pub fn deactivate(&mut self, actor: &BTreeSet<Role>, now: DateTime<Utc>) -> Result<MemberEvent, Rule> {
        self.require_not_deactivated(AttemptedAction::Deactivate)?;
        if self.facts.roles.contains(&Role::AllianceLead) {
            return Err(Rule::AllianceLeadRequired);
        }
        require_grantable(actor, &self.facts.roles)?;
        self.facts.status = MemberStatus::Deactivated;
        Ok(self.advance_revision(MemberEvent::Deactivated, now))
    }

    /// A member that stops being marketing staff does not keep the option, which may be another one when it becomes
    /// marketing staff again.
    fn replace_roles(&mut self, roles: BTreeSet<Role>) {
        self.facts.roles = roles;
        self.marketing_sees_all &= self.facts.roles.contains(&Role::MarketingStaff);
    }

    /// Applies the operator's option on marketing staff; no event if that changes nothing for this member (ACC-013).
    pub fn apply_marketing_option(
        &mut self,
        marketing_sees_all: bool,
        now: DateTime<Utc>,
    ) -> Option<MemberEvent> {
        if !self.facts.roles.contains(&Role::MarketingStaff) || self.marketing_sees_all == marketing_sees_all
        {
            return None;
        }
        self.marketing_sees_all = marketing_sees_all;
        Some(self.advance_revision(MemberEvent::VisibilityChanged, now))
    }

    /// Whether the member sees all opportunities of its account: by one of its roles, or by the option (ACC-013).
    pub fn sees_all_opportunities(&self) -> bool {
        let roles = &self.facts.roles;
        Role::WHOLE_PIPELINE.iter().any(|role| roles.contains(role))
            || (self.marketing_sees_all && roles.contains(&Role::MarketingStaff))
    }

    /// Takes the role of the alliance lead from `previous`, which gets ALLIANCE_TEAM instead (DIR-011). `roster` holds
    /// neither of the two.
    pub fn become_alliance_lead(
        &mut self,
        previous: &mut Member,
        roster: &Roster,
        now: DateTime<Utc>,
    ) -> Result<MemberEvent, Rule> {
        if self.facts.status != MemberStatus::Active || self.id == previous.id {
            return Err(Rule::IncompatibleMemberStatus(
                self.facts.status,
                AttemptedAction::TransferAllianceLead,
            ));
        }
        roster.require_role_capacity(Role::AllianceTeam)?;
        previous.facts.roles.remove(&Role::AllianceLead);
        previous.facts.roles.insert(Role::AllianceTeam);
        previous.advance_revision(MemberEvent::RolesChanged, now);
        // The alliance lead has all permissions of the alliance team.
        self.facts.roles.remove(&Role::AllianceTeam);
        self.facts.roles.insert(Role::AllianceLead);
        Ok(self.advance_revision(MemberEvent::RolesChanged, now))
    }

    fn new(id: MemberId, account: AccountId, side: Side, facts: MemberFacts, now: DateTime<Utc>) -> Self {
        Self {
            id,
            account,
            side,
            revision: 1,
            create_time: now,
            update_time: now,
            facts,
            marketing_sees_all: false,
        }
    }

    /// Checks address, domain and role limits against the other members. A deactivated member counts towards none of
    /// them.
    fn check_against_roster(&self, roster: &Roster, quotas: &Quotas) -> Result<(), Rule> {
        if self.facts.status == MemberStatus::Deactivated {
            return Ok(());
        }
        roster.require_available_address(&self.id, &self.facts.person.email, quotas)?;
        self.facts
            .roles
            .iter()
            .try_for_each(|role| roster.require_role_capacity(*role))
    }

    fn require_not_deactivated(&self, action: AttemptedAction) -> Result<(), Rule> {
        if self.facts.status == MemberStatus::Deactivated {
            return Err(Rule::IncompatibleMemberStatus(self.facts.status, action));
        }
        Ok(())
    }

    fn advance_revision(&mut self, event: MemberEvent, now: DateTime<Utc>) -> MemberEvent {
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
        event
    }
}

#[expect(missing_docs, reason = "reads a field of the same name")]
impl Member {
    pub fn id(&self) -> &MemberId {
        &self.id
    }

    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The member with the option that its row states. The stored record does not have it, so that processes of an
    /// earlier release, which write records without it, leave it as it is.
    pub fn with_marketing_option(self, marketing_sees_all: bool) -> Self {
        Self {
            marketing_sees_all,
            ..self
        }
    }

    pub fn marketing_sees_all(&self) -> bool {
        self.marketing_sees_all
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

    pub fn facts(&self) -> &MemberFacts {
        &self.facts
    }
}
