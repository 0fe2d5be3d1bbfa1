use chrono::{DateTime, NaiveDate, Utc};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId, Pii, revision_time, text_id};
use serde::{Deserialize, Serialize};

use super::values::{EngagementInvitationState, EngagementMemberState};
use super::{EngagementEvent, EngagementEventKind, Invitation, InvitationId, Rule};

/// Companies that an engagement has at most, with those that are invited (COL-003).
pub const MOST_MEMBERS: usize = 10;
/// Contexts that an engagement has at most (COL-030).
const MOST_CONTEXTS: usize = 5;

text_id!(
    /// An engagement: `eng-`, a letter and 13 lower-case letters or digits.
    EngagementId,
    "engagement id",
    "eng-, a lower-case letter and 13 lower-case letters or digits",
    |text| cosell_types::is_letter_first(text, "eng-", 14)
);

/// Companies that work a deal together: the aggregate. It changes only through its methods, each of which checks
/// everything first, changes nothing when a rule is broken, and returns what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engagement {
    id: EngagementId,
    account: AccountId,
    opportunity: OpportunityId,
    revision: i64,
    created_by: MemberId,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    modified_by: Option<AccountId>,
    title: Pii<String>,
    description: Pii<String>,
    contexts: Vec<Context>,
    participants: Vec<Participant>,
    is_limited: bool,
}

/// A company that is or was part of an engagement, or was invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Which.
    pub account: AccountId,
    /// What it is called.
    pub company: Company,
    /// Where it stands.
    pub state: EngagementMemberState,
    /// The member of it who began the engagement, or accepted the invitation.
    pub by: Option<MemberId>,
    /// The opportunity that it has in the engagement.
    pub opportunity: Option<OpportunityId>,
    /// Its last invitation; none for the company that began the engagement.
    pub invitation: Option<InvitationId>,
    /// When it was invited.
    pub invite_time: Option<DateTime<Utc>>,
    /// When it became part of the engagement.
    pub join_time: Option<DateTime<Utc>>,
    /// When it ceased to be.
    pub end_time: Option<DateTime<Utc>>,
    /// How often it was told of the engagement.
    told: i64,
}

/// What a company is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Company {
    /// Its name.
    pub name: Pii<String>,
    /// Its website.
    pub website: Pii<String>,
}

/// What the members know of the customer together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// A number in the engagement.
    pub id: String,
    /// The customer's name.
    pub company_name: Pii<String>,
    /// The customer's industry.
    pub industry: String,
    /// The customer's website.
    pub website_url: Pii<String>,
    /// The customer's country.
    pub country_code: String,
    /// The project's title.
    pub title: Pii<String>,
    /// What the customer needs solved.
    pub business_problem: Pii<String>,
    /// When it is to be done.
    pub target_completion_date: Option<NaiveDate>,
}

/// How an engagement begins.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// The engagement.
    pub id: EngagementId,
    /// The company that begins it.
    pub account: AccountId,
    /// What that company is called.
    pub company: Company,
    /// Its member who does.
    pub by: MemberId,
    /// The opportunity that is shared.
    pub opportunity: OpportunityId,
    /// What the engagement is called.
    pub title: Pii<String>,
    /// What it is about.
    pub description: Pii<String>,
    /// What is known of the customer.
    pub context: Context,
}

impl Engagement {
    /// Begins, with the company whose opportunity is shared (COL-004).
    pub fn begin(given: Beginning, now: DateTime<Utc>) -> (Self, EngagementEvent) {
        let founder = Participant {
            account: given.account.clone(),
            company: given.company,
            state: EngagementMemberState::Active,
            by: Some(given.by.clone()),
            opportunity: Some(given.opportunity),
            invitation: None,
            invite_time: None,
            join_time: Some(now),
            end_time: None,
            told: 1,
        };
        let engagement = Self {
            id: given.id,
            account: given.account.clone(),
            opportunity: given.opportunity,
            revision: 1,
            created_by: given.by,
            create_time: now,
            update_time: now,
            modified_by: Some(given.account.clone()),
            title: given.title,
            description: given.description,
            contexts: vec![Context {
                id: "1".to_owned(),
                ..given.context
            }],
            participants: vec![founder],
            is_limited: false,
        };
        let event = EngagementEvent {
            kind: EngagementEventKind::Created,
            revision: 1,
            told: vec![(given.account.clone(), 1)],
            members: vec![given.account],
        };
        (engagement, event)
    }

    /// Notes whether the visibility of what is shared is LIMITED now, so that it is not for AWS sales (COL-050).
    pub fn limit(&mut self, is_limited: bool) {
        self.is_limited = is_limited;
    }

    /// Whether it is not for AWS sales.
    pub fn is_limited(&self) -> bool {
        self.is_limited
    }

    /// Notes that a company is invited (COL-003, COL-004).
    pub fn invite(
        &mut self,
        invitation: &Invitation,
        company: Company,
        now: DateTime<Utc>,
    ) -> Result<EngagementEvent, Rule> {
        let account = invitation.receiver();
        let present = self.participants.iter().position(|one| one.account == *account);
        let state = present
            .and_then(|at| self.participants.get(at))
            .map(|one| one.state);
        if let Some(state @ (EngagementMemberState::Active | EngagementMemberState::Invited)) = state {
            return Err(Rule::AlreadyInvolved(account.clone(), state));
        }
        let involved = self.involved();
        if involved >= MOST_MEMBERS {
            return Err(Rule::TooManyMembers { present: involved });
        }
        let told = present
            .and_then(|at| self.participants.get(at))
            .map_or(0, |one| one.told);
        let participant = Participant {
            account: account.clone(),
            company,
            state: EngagementMemberState::Invited,
            by: None,
            opportunity: None,
            invitation: Some(invitation.id().clone()),
            invite_time: Some(now),
            join_time: None,
            end_time: None,
            told,
        };
        // Who is invited again comes at the end.
        if let Some(at) = present {
            self.participants.remove(at);
        }
        self.participants.push(participant);
        let by = Some(invitation.sender().clone());
        Ok(self.step(EngagementEventKind::MemberInvited(account.clone()), by, now))
    }

    /// Notes how an invitation ended (COL-020). None where the company was invited anew since.
    pub fn invitation_ended(
        &mut self,
        invitation: &Invitation,
        by: Option<AccountId>,
        now: DateTime<Utc>,
    ) -> Option<EngagementEvent> {
        let is_accepted = invitation.state() == EngagementInvitationState::Accepted;
        let answered_by = invitation.answer().and_then(|answer| answer.by.clone());
        let id = invitation.id();
        let participant = self
            .participants
            .iter_mut()
            .find(|one| one.invitation.as_ref() == Some(id))?;
        let account = participant.account.clone();
        let kind = if is_accepted {
            participant.state = EngagementMemberState::Active;
            participant.by = answered_by;
            participant.opportunity = invitation.opportunity();
            participant.join_time = Some(now);
            EngagementEventKind::MemberAdded(account)
        } else {
            participant.state = EngagementMemberState::NotJoined;
            participant.end_time = Some(now);
            EngagementEventKind::MemberNotJoined(account)
        };
        Some(self.step(kind, by, now))
    }

    /// A company leaves (COL-021).
    pub fn leave(&mut self, account: &AccountId, now: DateTime<Utc>) -> Result<EngagementEvent, Rule> {
        let kind = EngagementEventKind::MemberLeft(account.clone());
        self.end(account, EngagementMemberState::Left, kind, account, now)
    }

    /// The company that began the engagement removes another one (COL-021).
    pub fn remove(
        &mut self,
        account: &AccountId,
        by: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<EngagementEvent, Rule> {
        let kind = EngagementEventKind::MemberRemoved(account.clone());
        self.end(account, EngagementMemberState::Removed, kind, by, now)
    }

    fn end(
        &mut self,
        account: &AccountId,
        state: EngagementMemberState,
        kind: EngagementEventKind,
        by: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<EngagementEvent, Rule> {
        let is_founder = *account == self.account;
        let participant = self
            .participants
            .iter_mut()
            .find(|one| one.account == *account)
            .ok_or_else(|| Rule::NoMember(account.clone()))?;
        if participant.state != EngagementMemberState::Active || is_founder {
            return Err(Rule::IllegalTransition {
                state: participant.state.name(),
                action: state.name(),
            });
        }
        participant.state = state;
        participant.end_time = Some(now);
        Ok(self.step(kind, Some(by.clone()), now))
    }

    /// Adds what the members know of the customer (COL-030).
    pub fn add_context(
        &mut self,
        context: Context,
        by: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<EngagementEvent, Rule> {
        if self.contexts.len() >= MOST_CONTEXTS {
            return Err(Rule::TooManyContexts { limit: MOST_CONTEXTS });
        }
        let id = (self.contexts.len() + 1).to_string();
        let kind = EngagementEventKind::ContextCreated(id.clone());
        self.contexts.push(Context { id, ..context });
        Ok(self.step(kind, Some(by.clone()), now))
    }

    /// Replaces what a context says. None when it says that already (COL-030).
    pub fn update_context(
        &mut self,
        context: Context,
        by: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<Option<EngagementEvent>, Rule> {
        let present = self
            .contexts
            .iter_mut()
            .find(|one| one.id == context.id)
            .ok_or_else(|| Rule::NoContext(context.id.clone()))?;
        if *present == context {
            return Ok(None);
        }
        let kind = EngagementEventKind::ContextUpdated(context.id.clone());
        *present = context;
        Ok(Some(self.step(kind, Some(by.clone()), now)))
    }

    /// How many companies it has, with those that are invited.
    pub fn involved(&self) -> usize {
        let counts = |one: &&Participant| {
            matches!(
                one.state,
                EngagementMemberState::Active | EngagementMemberState::Invited
            )
        };
        self.participants.iter().filter(counts).count()
    }

    /// The company, whatever its state.
    pub fn participant(&self, account: &AccountId) -> Option<&Participant> {
        self.participants.iter().find(|one| one.account == *account)
    }

    /// The companies that are part of it.
    pub fn members(&self) -> impl Iterator<Item = &Participant> {
        self.participants
            .iter()
            .filter(|one| one.state == EngagementMemberState::Active)
    }

    /// One more change, of which everybody hears who is part of it, and whoever it has just ceased to be.
    fn step(
        &mut self,
        kind: EngagementEventKind,
        by: Option<AccountId>,
        now: DateTime<Utc>,
    ) -> EngagementEvent {
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
        self.modified_by = by;
        let mut told = Vec::new();
        for one in &mut self.participants {
            if one.state == EngagementMemberState::Active || kind.gone() == Some(&one.account) {
                one.told += 1;
                told.push((one.account.clone(), one.told));
            }
        }
        EngagementEvent {
            kind,
            revision: self.revision,
            told,
            members: self.members().map(|one| one.account.clone()).collect(),
        }
    }
}

#[expect(missing_docs, reason = "fields are documented once, in engagement.proto")]
impl Engagement {
    pub fn id(&self) -> &EngagementId {
        &self.id
    }

    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The opportunity that is shared.
    pub fn opportunity(&self) -> OpportunityId {
        self.opportunity
    }

    pub fn revision(&self) -> i64 {
        self.revision
    }

    pub fn created_by(&self) -> &MemberId {
        &self.created_by
    }

    pub fn create_time(&self) -> DateTime<Utc> {
        self.create_time
    }

    pub fn update_time(&self) -> DateTime<Utc> {
        self.update_time
    }

    pub fn modified_by(&self) -> Option<&AccountId> {
        self.modified_by.as_ref()
    }

    pub fn title(&self) -> &Pii<String> {
        &self.title
    }

    pub fn description(&self) -> &Pii<String> {
        &self.description
    }

    pub fn contexts(&self) -> &[Context] {
        &self.contexts
    }

    /// Every company that is or was part of it, or was invited.
    pub fn participants(&self) -> &[Participant] {
        &self.participants
    }
}
