use chrono::{DateTime, NaiveDate, Utc};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId, Pii, revision_time, text_id};
use serde::{Deserialize, Serialize};

use super::values::{EngagementInvitationState, EngagementMemberState};
use super::{EngagementEvent, EngagementEventKind, Invitation, InvitationId, Rule};

/// The maximum number of accounts in an engagement, invited ones included (COL-003).
pub const MAX_MEMBERS: usize = 10;
/// The maximum number of contexts of an engagement (COL-030).
const MAX_CONTEXTS: usize = 5;

text_id!(
    /// `eng-`, a lower-case letter and 13 lower-case letters or digits.
    EngagementId,
    "engagement id",
    "eng-, a lower-case letter and 13 lower-case letters or digits",
    |text| cosell_types::is_letter_first(text, "eng-", 14)
);

/// Aggregate: partner accounts that work on an opportunity together. Each method checks all rules first, changes
/// nothing when one is violated, and returns the resulting events.
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
    contexts: Vec<EngagementContext>,
    participants: Vec<Participant>,
    is_limited: bool,
}

/// A current, former or invited member account of an engagement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Unique within the engagement.
    pub account: AccountId,
    /// The public profile of the account when it was invited.
    #[serde(rename = "company")]
    pub profile: AccountProfile,
    /// The state of the membership.
    pub state: EngagementMemberState,
    /// The member who created the engagement or accepted the invitation. `None` until then.
    #[serde(rename = "by")]
    pub joined_by: Option<MemberId>,
    /// The account's own opportunity in the engagement. `None` until it joins.
    pub opportunity: Option<OpportunityId>,
    /// The latest invitation. `None` for the account that created the engagement.
    pub invitation: Option<InvitationId>,
    /// When the latest invitation was sent.
    pub invite_time: Option<DateTime<Utc>>,
    /// When the account became a member.
    pub join_time: Option<DateTime<Utc>>,
    /// When the membership, or the invitation without one, ended.
    pub end_time: Option<DateTime<Utc>>,
    /// The number of events of the engagement that the account has received.
    #[serde(rename = "told")]
    event_count: i64,
}

/// The public name and website of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountProfile {
    /// The display name, otherwise the legal name.
    pub name: Pii<String>,
    /// May be empty.
    pub website: Pii<String>,
}

/// Data about the customer and its project, shared by all members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngagementContext {
    /// Unique within the engagement: `1`, `2`, `3` …
    pub id: String,
    /// The company name of the customer.
    pub company_name: Pii<String>,
    /// A value of the list `industry`.
    pub industry: String,
    /// The website of the customer.
    pub website_url: Pii<String>,
    /// A value of the list `country`.
    pub country_code: String,
    /// The title of the project.
    pub title: Pii<String>,
    /// The business problem of the customer.
    pub business_problem: Pii<String>,
    /// The planned completion date of the project.
    pub target_completion_date: Option<NaiveDate>,
}

/// The input of [`Engagement::create`].
#[derive(Clone, Debug)]
pub struct NewEngagement {
    /// The ID of the new engagement.
    pub id: EngagementId,
    /// The account that shares its opportunity.
    pub account: AccountId,
    /// The public profile of that account.
    pub profile: AccountProfile,
    /// The member who shares the opportunity.
    pub created_by: MemberId,
    /// The shared opportunity.
    pub opportunity: OpportunityId,
    /// The title of the engagement.
    pub title: Pii<String>,
    /// The description of the engagement. May be empty.
    pub description: Pii<String>,
    /// The first context; its ID is ignored.
    pub context: EngagementContext,
}

impl Engagement {
    /// Creates an engagement whose only member is the account that shares its opportunity (COL-004).
    pub fn create(new: NewEngagement, now: DateTime<Utc>) -> (Self, EngagementEvent) {
        let creator = Participant {
            account: new.account.clone(),
            profile: new.profile,
            state: EngagementMemberState::Active,
            joined_by: Some(new.created_by.clone()),
            opportunity: Some(new.opportunity),
            invitation: None,
            invite_time: None,
            join_time: Some(now),
            end_time: None,
            event_count: 1,
        };
        let engagement = Self {
            id: new.id,
            account: new.account.clone(),
            opportunity: new.opportunity,
            revision: 1,
            created_by: new.created_by,
            create_time: now,
            update_time: now,
            modified_by: Some(new.account.clone()),
            title: new.title,
            description: new.description,
            contexts: vec![EngagementContext {
                id: "1".to_owned(),
                ..new.context
            }],
            participants: vec![creator],
            is_limited: false,
        };
        let event = EngagementEvent {
            kind: EngagementEventKind::Created,
            revision: 1,
            recipients: vec![(new.account.clone(), 1)],
            members: vec![new.account],
        };
        (engagement, event)
    }

    /// Sets whether the visibility of the shared opportunity is LIMITED, which hides the engagement from AWS sales
    /// roles (COL-050).
    pub fn set_limited(&mut self, is_limited: bool) {
        self.is_limited = is_limited;
    }

    /// Whether the engagement is hidden from AWS sales roles (COL-050).
    pub fn is_limited(&self) -> bool {
        self.is_limited
    }

    /// Adds the receiver of an invitation as an invited member (COL-003, COL-004).
    pub fn invite(
        &mut self,
        invitation: &Invitation,
        profile: AccountProfile,
        now: DateTime<Utc>,
    ) -> Result<EngagementEvent, Rule> {
        let account = invitation.receiver();
        let index = self
            .participants
            .iter()
            .position(|participant| participant.account == *account);
        let former = index.and_then(|index| self.participants.get(index));
        let state = former.map(|participant| participant.state);
        let event_count = former.map_or(0, |participant| participant.event_count);
        if let Some(state @ (EngagementMemberState::Active | EngagementMemberState::Invited)) = state {
            return Err(Rule::AlreadyInvolved(account.clone(), state));
        }
        let member_count = self.member_count();
        if member_count >= MAX_MEMBERS {
            return Err(Rule::TooManyMembers {
                present: member_count,
            });
        }
        let participant = Participant {
            account: account.clone(),
            profile,
            state: EngagementMemberState::Invited,
            joined_by: None,
            opportunity: None,
            invitation: Some(invitation.id().clone()),
            invite_time: Some(now),
            join_time: None,
            end_time: None,
            event_count,
        };
        // An account that is invited again moves to the end of the list.
        if let Some(index) = index {
            self.participants.remove(index);
        }
        self.participants.push(participant);
        let by = Some(invitation.sender().clone());
        Ok(self.record_event(EngagementEventKind::MemberInvited(account.clone()), by, now))
    }

    /// Records the outcome of an invitation (COL-020). No event if a later invitation has superseded it.
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
            .find(|participant| participant.invitation.as_ref() == Some(id))?;
        let account = participant.account.clone();
        let kind = if is_accepted {
            participant.state = EngagementMemberState::Active;
            participant.joined_by = answered_by;
            participant.opportunity = invitation.opportunity();
            participant.join_time = Some(now);
            EngagementEventKind::MemberAdded(account)
        } else {
            participant.state = EngagementMemberState::NotJoined;
            participant.end_time = Some(now);
            EngagementEventKind::MemberNotJoined(account)
        };
        Some(self.record_event(kind, by, now))
    }

    /// Ends the membership of an account that leaves (COL-021).
    pub fn leave(&mut self, account: &AccountId, now: DateTime<Utc>) -> Result<EngagementEvent, Rule> {
        let kind = EngagementEventKind::MemberLeft(account.clone());
        self.end_membership(account, EngagementMemberState::Left, kind, account, now)
    }

    /// Ends the membership of an account that the creating account removes (COL-021).
    pub fn remove(
        &mut self,
        account: &AccountId,
        by: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<EngagementEvent, Rule> {
        let kind = EngagementEventKind::MemberRemoved(account.clone());
        self.end_membership(account, EngagementMemberState::Removed, kind, by, now)
    }

    fn end_membership(
        &mut self,
        account: &AccountId,
        state: EngagementMemberState,
        kind: EngagementEventKind,
        by: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<EngagementEvent, Rule> {
        let is_creator = *account == self.account;
        let participant = self
            .participants
            .iter_mut()
            .find(|participant| participant.account == *account)
            .ok_or_else(|| Rule::MemberNotFound(account.clone()))?;
        if participant.state != EngagementMemberState::Active || is_creator {
            return Err(Rule::IllegalTransition {
                state: participant.state.name(),
                action: state.name(),
            });
        }
        participant.state = state;
        participant.end_time = Some(now);
        Ok(self.record_event(kind, Some(by.clone()), now))
    }

    /// Adds a context with the next ID (COL-030).
    pub fn add_context(
        &mut self,
        context: EngagementContext,
        by: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<EngagementEvent, Rule> {
        if self.contexts.len() >= MAX_CONTEXTS {
            return Err(Rule::TooManyContexts { limit: MAX_CONTEXTS });
        }
        let id = (self.contexts.len() + 1).to_string();
        let kind = EngagementEventKind::ContextCreated(id.clone());
        self.contexts.push(EngagementContext { id, ..context });
        Ok(self.record_event(kind, Some(by.clone()), now))
    }

    /// Replaces a context as a whole. No event if it is unchanged (COL-030).
    pub fn update_context(
        &mut self,
        context: EngagementContext,
        by: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<Option<EngagementEvent>, Rule> {
        let current = self
            .contexts
            .iter_mut()
            .find(|current| current.id == context.id)
            .ok_or_else(|| Rule::ContextNotFound(context.id.clone()))?;
        if *current == context {
            return Ok(None);
        }
        let kind = EngagementEventKind::ContextUpdated(context.id.clone());
        *current = context;
        Ok(Some(self.record_event(kind, Some(by.clone()), now)))
    }

    /// The number of member accounts, invited ones included.
    pub fn member_count(&self) -> usize {
        let is_counted = |participant: &&Participant| {
            matches!(
                participant.state,
                EngagementMemberState::Active | EngagementMemberState::Invited
            )
        };
        self.participants.iter().filter(is_counted).count()
    }

    /// The participant with this account, in any state.
    pub fn participant(&self, account: &AccountId) -> Option<&Participant> {
        self.participants
            .iter()
            .find(|participant| participant.account == *account)
    }

    /// The active members.
    pub fn members(&self) -> impl Iterator<Item = &Participant> {
        self.participants
            .iter()
            .filter(|participant| participant.state == EngagementMemberState::Active)
    }

    /// Increments the revision. Recipients of the event are all active members, and a member whose membership it ended.
    fn record_event(
        &mut self,
        kind: EngagementEventKind,
        by: Option<AccountId>,
        now: DateTime<Utc>,
    ) -> EngagementEvent {
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
        self.modified_by = by;
        let mut recipients = Vec::new();
        for participant in &mut self.participants {
            let is_active = participant.state == EngagementMemberState::Active;
            if is_active || kind.former_member() == Some(&participant.account) {
                participant.event_count += 1;
                recipients.push((participant.account.clone(), participant.event_count));
            }
        }
        EngagementEvent {
            kind,
            revision: self.revision,
            recipients,
            members: self
                .members()
                .map(|participant| participant.account.clone())
                .collect(),
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

    /// The shared opportunity.
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

    pub fn contexts(&self) -> &[EngagementContext] {
        &self.contexts
    }

    /// All participants in any state, in the order of their latest invitation.
    pub fn participants(&self) -> &[Participant] {
        &self.participants
    }
}
