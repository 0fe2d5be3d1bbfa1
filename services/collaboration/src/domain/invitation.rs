use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{
    AccountId, ClosedList as _, FieldPath, MemberId, OpportunityId, ParticipantType, Pii, RejectionReason,
    Violation, ViolationCode, revision_time, text_id,
};
use serde::{Deserialize, Serialize};

use super::values::EngagementInvitationState;
use super::{EngagementId, InvitationEvent, Rule};

text_id!(
    /// An invitation: `engi-`, a letter and 12 lower-case letters or digits.
    InvitationId,
    "engagement invitation id",
    "engi-, a lower-case letter and 12 lower-case letters or digits",
    |text| cosell_types::is_letter_first(text, "engi-", 13)
);

/// Asks one company to become part of an engagement: the aggregate. It changes only through its methods, each of which
/// checks everything first, changes nothing when a rule is broken, and returns what happened. What the receiver may
/// know stands beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    id: InvitationId,
    engagement: EngagementId,
    sender: AccountId,
    sent_by: MemberId,
    receiver: AccountId,
    alias: Pii<String>,
    source: OpportunityId,
    revision: i64,
    state: EngagementInvitationState,
    create_time: DateTime<Utc>,
    expire_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    answer: Option<Answer>,
    opportunity: Option<OpportunityId>,
}

/// How an invitation ended, if not by its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Who did it; none when it was the platform.
    pub by: Option<MemberId>,
    /// When.
    pub time: DateTime<Utc>,
    /// Why it was rejected.
    pub reason: Option<RejectionReason>,
    /// Why it was rejected, in words.
    pub text: Pii<String>,
}

/// Who invites whom to what.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The invitation.
    pub id: InvitationId,
    /// To which engagement.
    pub engagement: EngagementId,
    /// The company that asks.
    pub sender: AccountId,
    /// Its member who does.
    pub by: MemberId,
    /// The company that is asked.
    pub receiver: AccountId,
    /// What the sender calls it.
    pub alias: Pii<String>,
    /// The opportunity that is shared.
    pub source: OpportunityId,
}

impl Invitation {
    /// Sends it, to be answered within so many days (COL-010).
    pub fn send(given: Sending, days: u32, now: DateTime<Utc>) -> (Self, InvitationEvent) {
        let invitation = Self {
            id: given.id,
            engagement: given.engagement,
            sender: given.sender,
            sent_by: given.by,
            receiver: given.receiver,
            alias: given.alias,
            source: given.source,
            revision: 1,
            state: EngagementInvitationState::Pending,
            create_time: now,
            expire_time: now + TimeDelta::days(days.into()),
            update_time: now,
            answer: None,
            opportunity: None,
        };
        (invitation, InvitationEvent::Created)
    }

    /// Becomes part of the engagement, with an opportunity of its own (COL-020).
    pub fn accept(
        &mut self,
        by: &MemberId,
        opportunity: OpportunityId,
        now: DateTime<Utc>,
    ) -> Result<InvitationEvent, Rule> {
        self.require("ACCEPT", now)?;
        self.opportunity = Some(opportunity);
        self.end(EngagementInvitationState::Accepted, Some(by.clone()), now);
        Ok(InvitationEvent::Accepted)
    }

    /// Does not want to (COL-013).
    pub fn reject(
        &mut self,
        by: &MemberId,
        reason: RejectionReason,
        text: Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<InvitationEvent, Rule> {
        self.require("REJECT", now)?;
        if reason == RejectionReason::Other && text.reveal().trim().is_empty() {
            let at = FieldPath::root();
            let wrong = Violation::new(
                &at.field("text"),
                ViolationCode::RequiredFieldMissing,
                "is required with reason OTHER",
            );
            return Err(Rule::Invalid(vec![wrong]));
        }
        self.end(EngagementInvitationState::Rejected, Some(by.clone()), now);
        if let Some(answer) = &mut self.answer {
            answer.reason = Some(reason);
            answer.text = text;
        }
        Ok(InvitationEvent::Rejected)
    }

    /// The sender takes it back, or the platform because the two companies are not connected any more (COL-014).
    pub fn cancel(&mut self, by: Option<&MemberId>, now: DateTime<Utc>) -> Result<InvitationEvent, Rule> {
        self.require("CANCEL", now)?;
        self.end(EngagementInvitationState::Canceled, by.cloned(), now);
        Ok(InvitationEvent::Canceled)
    }

    /// Ends it when its time is over. None when it is not, or when it has ended (COL-010).
    pub fn expire(&mut self, now: DateTime<Utc>) -> Option<InvitationEvent> {
        if self.state != EngagementInvitationState::Pending || now < self.expire_time {
            return None;
        }
        self.step(EngagementInvitationState::Expired, now);
        Some(InvitationEvent::Expired)
    }

    /// Where it stands at this time: over is over, also before anybody has noted it.
    pub fn state_at(&self, now: DateTime<Utc>) -> EngagementInvitationState {
        if self.state == EngagementInvitationState::Pending && now >= self.expire_time {
            EngagementInvitationState::Expired
        } else {
            self.state
        }
    }

    /// Whether what is offered can be read at this time (COL-012).
    pub fn is_shown(&self, now: DateTime<Utc>) -> bool {
        matches!(
            self.state_at(now),
            EngagementInvitationState::Pending | EngagementInvitationState::Accepted
        )
    }

    /// Which of the two companies it is.
    pub fn participant(&self, account: &AccountId) -> Option<ParticipantType> {
        if *account == self.sender {
            Some(ParticipantType::Sender)
        } else if *account == self.receiver {
            Some(ParticipantType::Receiver)
        } else {
            None
        }
    }

    fn require(&self, action: &'static str, now: DateTime<Utc>) -> Result<(), Rule> {
        match self.state_at(now) {
            EngagementInvitationState::Pending => Ok(()),
            state => Err(Rule::IllegalTransition {
                state: state.name(),
                action,
            }),
        }
    }

    fn end(&mut self, state: EngagementInvitationState, by: Option<MemberId>, now: DateTime<Utc>) {
        self.answer = Some(Answer {
            by,
            time: now,
            reason: None,
            text: Pii::default(),
        });
        self.step(state, now);
    }

    fn step(&mut self, state: EngagementInvitationState, now: DateTime<Utc>) {
        self.state = state;
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
    }
}

#[expect(missing_docs, reason = "fields are documented once, in engagement.proto")]
impl Invitation {
    pub fn id(&self) -> &InvitationId {
        &self.id
    }

    pub fn engagement(&self) -> &EngagementId {
        &self.engagement
    }

    pub fn sender(&self) -> &AccountId {
        &self.sender
    }

    /// The member who sent it.
    pub fn sent_by(&self) -> &MemberId {
        &self.sent_by
    }

    pub fn receiver(&self) -> &AccountId {
        &self.receiver
    }

    pub fn alias(&self) -> &Pii<String> {
        &self.alias
    }

    /// The opportunity that is shared.
    pub fn source(&self) -> OpportunityId {
        self.source
    }

    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// Where it stands, as far as was noted.
    pub fn state(&self) -> EngagementInvitationState {
        self.state
    }

    pub fn create_time(&self) -> DateTime<Utc> {
        self.create_time
    }

    pub fn expire_time(&self) -> DateTime<Utc> {
        self.expire_time
    }

    pub fn update_time(&self) -> DateTime<Utc> {
        self.update_time
    }

    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }

    /// The opportunity that the receiver has of it.
    pub fn opportunity(&self) -> Option<OpportunityId> {
        self.opportunity
    }
}
