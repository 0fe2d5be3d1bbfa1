use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use cosell_types::{
    AccountId, FieldPath, MemberId, Pii, Role, Side, Violation, ViolationCode, revision_time,
};
use serde::{Deserialize, Serialize};

use super::values::MemberStatus;
use super::{Action, Limit, MemberEvent, Quotas, Rule};

/// Most members with each of these roles (DIR-011).
const AT_MOST: [(Role, usize); 2] = [(Role::AllianceTeam, 20), (Role::AceManager, 20)];

/// A person who works for an account: the aggregate. It changes only through its methods, each of which checks
/// everything first, changes nothing when a rule is broken, and returns what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    id: MemberId,
    account: AccountId,
    side: Side,
    revision: i64,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    facts: MemberFacts,
}

/// What can change about a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberFacts {
    /// Where it stands.
    pub status: MemberStatus,
    /// What it is there for.
    pub roles: BTreeSet<Role>,
    /// Who it is.
    pub person: Person,
}

/// A person. Lengths and forms are checked at the interface.
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

/// What has to hold over all members of an account who have not left; read under the account's lock.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    members: BTreeMap<MemberId, (Vec<Role>, Pii<String>)>,
    holders: BTreeMap<Role, usize>,
    emails: BTreeMap<Pii<String>, MemberId>,
    /// Domains of the addresses of all of them, also of those who are not counted one by one.
    pub domains: BTreeSet<String>,
}

impl Roster {
    /// Counts a member who has not left.
    pub fn add(&mut self, id: MemberId, roles: impl IntoIterator<Item = Role>, email: Pii<String>) {
        let roles: Vec<_> = roles.into_iter().collect();
        for role in &roles {
            *self.holders.entry(*role).or_default() += 1;
        }
        self.domains.insert(domain(&email).to_owned());
        self.emails.insert(email.clone(), id.clone());
        self.members.insert(id, (roles, email));
    }

    /// No longer counts a member, if it did.
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

    fn require_room(&self, role: Role) -> Result<(), Rule> {
        let holders = self.holders.get(&role).copied().unwrap_or_default();
        match AT_MOST.iter().find(|(limited, _)| *limited == role) {
            Some((_, most)) if holders >= *most => Err(Rule::RoleLimit(role, *most)),
            _ if role == Role::AllianceLead && holders > 0 => Err(Rule::RoleLimit(role, 1)),
            _ => Ok(()),
        }
    }

    /// Whether a member may have this address (DIR-013).
    fn require_address(&self, id: &MemberId, email: &Pii<String>, quotas: &Quotas) -> Result<(), Rule> {
        match self.emails.get(email) {
            Some(holder) if holder == id => return Ok(()),
            Some(_) => return Err(Rule::DuplicateMember("person.email")),
            None => {}
        }
        if self.domains.contains(domain(email)) {
            return Ok(());
        }
        let before = i64::try_from(self.domains.len()).unwrap_or(i64::MAX);
        Limit::Domains.check(before, quotas.domains)
    }
}

fn domain(email: &Pii<String>) -> &str {
    email.reveal().split('@').next_back().unwrap_or_default()
}

/// Whether an id is not for members: that of the account, or one in the form of another kind of record. Events of an
/// account go by these ids.
pub fn is_reserved(id: &MemberId, account: &AccountId) -> bool {
    let text = id.as_str();
    let kinds = ["pac-", "pacinv-", "pprofile-"];
    text == account.as_str() || kinds.iter().any(|kind| cosell_types::is_prefixed(text, kind))
}

/// Roles that others than the lead may grant and withdraw, if they administer members at all (DIR-012).
const GRANTED_BY_ADMINISTRATORS: [Role; 6] = [
    Role::AceManager,
    Role::AceUser,
    Role::MarketingStaff,
    Role::TechnicalStaff,
    Role::ChannelUser,
    Role::StandardUser,
];

/// Refuses roles that the actor may not grant or withdraw. The lead's own role is handed over (DIR-012).
fn require_grantable<'a>(
    actor: &BTreeSet<Role>,
    roles: impl IntoIterator<Item = &'a Role>,
) -> Result<(), Rule> {
    let may = |role: &Role| {
        if actor.contains(&Role::AllianceLead) {
            *role != Role::AllianceLead
        } else {
            GRANTED_BY_ADMINISTRATORS.contains(role)
        }
    };
    let refused: Vec<_> = roles.into_iter().copied().filter(|role| !may(role)).collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Rule::NotGrantable(refused))
    }
}

/// Roles of one side cannot be held on the other (ACC-002).
fn require_side(side: Side, roles: &BTreeSet<Role>) -> Result<(), Rule> {
    let root = FieldPath::root();
    let wrong: Vec<_> = roles
        .iter()
        .filter(|role| role.side() != side)
        .map(|role| {
            let text = format!("{role} is a role of the other side");
            Violation::new(&root.field("roles"), ViolationCode::InvalidValue, text)
        })
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Rule::Invalid(wrong))
    }
}

impl Member {
    /// Asks a person to join (DIR-010 to DIR-013).
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
        require_side(side, &roles)?;
        require_grantable(actor, &roles)?;
        let facts = MemberFacts {
            status: MemberStatus::Invited,
            roles,
            person,
        };
        let member = Self::new(id, account, side, facts, now);
        member.require_place(roster, quotas)?;
        Ok((member, MemberEvent::Invited))
    }

    /// Takes a member over from the master list (DIR-050).
    pub fn register(
        id: MemberId,
        account: AccountId,
        side: Side,
        facts: MemberFacts,
        roster: &Roster,
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<(Self, MemberEvent), Rule> {
        require_side(side, &facts.roles)?;
        let event = match facts.status {
            MemberStatus::Invited => MemberEvent::Invited,
            MemberStatus::Active | MemberStatus::Deactivated => MemberEvent::Registered,
        };
        let member = Self::new(id, account, side, facts, now);
        member.require_place(roster, quotas)?;
        Ok((member, event))
    }

    /// Takes the next step towards what the master list has, each of which is one thing that happens; none when there is
    /// nothing left to do (DIR-050). `roster` counts the others.
    pub fn provision(
        &mut self,
        facts: &MemberFacts,
        roster: &Roster,
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<Option<MemberEvent>, Rule> {
        if *facts == self.facts {
            return Ok(None);
        }
        require_side(self.side, &facts.roles)?;
        let complete = Self {
            facts: facts.clone(),
            ..self.clone()
        };
        complete.require_place(roster, quotas)?;
        // Who leaves does so first, and who comes back does so last: in between nobody counts who would not afterwards.
        let leaves = facts.status == MemberStatus::Deactivated && self.facts.status != facts.status;
        let event = if !leaves && facts.person != self.facts.person {
            self.facts.person = facts.person.clone();
            MemberEvent::DetailsChanged
        } else if !leaves && facts.roles != self.facts.roles {
            self.facts.roles = facts.roles.clone();
            MemberEvent::RolesChanged
        } else {
            self.facts.status = facts.status;
            match facts.status {
                MemberStatus::Invited => MemberEvent::Invited,
                MemberStatus::Active => MemberEvent::Reinstated,
                MemberStatus::Deactivated => MemberEvent::Deactivated,
            }
        };
        Ok(Some(self.changed(event, now)))
    }

    /// Joins; none when it had joined before (DIR-010).
    pub fn join(&mut self, now: DateTime<Utc>) -> Option<MemberEvent> {
        if self.facts.status != MemberStatus::Invited {
            return None;
        }
        self.facts.status = MemberStatus::Active;
        Some(self.changed(MemberEvent::Joined, now))
    }

    /// Replaces who it is; none when it is the same (DIR-013). `roster` counts the others.
    pub fn describe(
        &mut self,
        person: Person,
        roster: &Roster,
        quotas: &Quotas,
        now: DateTime<Utc>,
    ) -> Result<Option<MemberEvent>, Rule> {
        self.require_present(Action::Update)?;
        if person == self.facts.person {
            return Ok(None);
        }
        roster.require_address(&self.id, &person.email, quotas)?;
        self.facts.person = person;
        Ok(Some(self.changed(MemberEvent::DetailsChanged, now)))
    }

    /// Replaces its roles; none when they are the same (DIR-011, DIR-012). `roster` counts the others.
    pub fn set_roles(
        &mut self,
        roles: BTreeSet<Role>,
        actor: &BTreeSet<Role>,
        roster: &Roster,
        now: DateTime<Utc>,
    ) -> Result<Option<MemberEvent>, Rule> {
        self.require_present(Action::SetRoles)?;
        require_side(self.side, &roles)?;
        if self.facts.roles.contains(&Role::AllianceLead) && !roles.contains(&Role::AllianceLead) {
            return Err(Rule::LeadRequired);
        }
        require_grantable(actor, roles.symmetric_difference(&self.facts.roles))?;
        for role in roles.difference(&self.facts.roles) {
            roster.require_room(*role)?;
        }
        if roles == self.facts.roles {
            return Ok(None);
        }
        self.facts.roles = roles;
        Ok(Some(self.changed(MemberEvent::RolesChanged, now)))
    }

    /// Ends the membership (DIR-010 to DIR-012).
    pub fn deactivate(&mut self, actor: &BTreeSet<Role>, now: DateTime<Utc>) -> Result<MemberEvent, Rule> {
        self.require_present(Action::Deactivate)?;
        if self.facts.roles.contains(&Role::AllianceLead) {
            return Err(Rule::LeadRequired);
        }
        require_grantable(actor, &self.facts.roles)?;
        self.facts.status = MemberStatus::Deactivated;
        Ok(self.changed(MemberEvent::Deactivated, now))
    }

    /// Becomes the lead in place of another, who becomes one of the team (DIR-011). `roster` counts neither.
    pub fn succeed(
        &mut self,
        lead: &mut Member,
        roster: &Roster,
        now: DateTime<Utc>,
    ) -> Result<MemberEvent, Rule> {
        if self.facts.status != MemberStatus::Active || self.id == lead.id {
            return Err(Rule::MemberStatus(
                self.facts.status,
                Action::TransferAllianceLead,
            ));
        }
        roster.require_room(Role::AllianceTeam)?;
        lead.facts.roles.remove(&Role::AllianceLead);
        lead.facts.roles.insert(Role::AllianceTeam);
        lead.changed(MemberEvent::RolesChanged, now);
        // The lead is more than the team.
        self.facts.roles.remove(&Role::AllianceTeam);
        self.facts.roles.insert(Role::AllianceLead);
        Ok(self.changed(MemberEvent::RolesChanged, now))
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
        }
    }

    /// Whether there is room for it beside the others, unless it has left.
    fn require_place(&self, roster: &Roster, quotas: &Quotas) -> Result<(), Rule> {
        if self.facts.status == MemberStatus::Deactivated {
            return Ok(());
        }
        roster.require_address(&self.id, &self.facts.person.email, quotas)?;
        self.facts
            .roles
            .iter()
            .try_for_each(|role| roster.require_room(*role))
    }

    fn require_present(&self, action: Action) -> Result<(), Rule> {
        if self.facts.status == MemberStatus::Deactivated {
            return Err(Rule::MemberStatus(self.facts.status, action));
        }
        Ok(())
    }

    fn changed(&mut self, event: MemberEvent, now: DateTime<Utc>) -> MemberEvent {
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
