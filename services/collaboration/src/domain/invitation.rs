use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{
    AccountId, ClosedList as _, FieldPath, MemberId, OpportunityId, ParticipantType, Pii, RejectionReason,
    Violation, ViolationCode, revision_time, text_id,
};
use serde::{Deserialize, Serialize};

use super::values::EngagementInvitationState;
use super::{EngagementId, InvitationEvent, Rule};

text_id!(
    /// `engi-`, a lower-case letter and 12 lower-case letters or digits.
    InvitationId,
    "engagement invitation id",
    "engi-, a lower-case letter and 12 lower-case letters or digits",
    |text| cosell_types::is_letter_first(text, "engi-", 13)
);

/// Aggregate: an invitation of one account to an engagement. Each method checks all rules first, changes nothing when
/// one is violated, and returns the resulting event. The content, the data of the opportunity that the receiver can
/// read, is stored in a column of its own.
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
    answer: Option<InvitationAnswer>,
    opportunity: Option<OpportunityId>,
}

/// The acceptance, rejection or cancellation of an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationAnswer {
    /// The member who answered or canceled it. `None` if the platform canceled it.
    pub by: Option<MemberId>,
    /// When the invitation was accepted, rejected or canceled.
    pub time: DateTime<Utc>,
    /// `None` unless the invitation was rejected.
    pub reason: Option<RejectionReason>,
    /// The explanation of the reason. May be empty.
    pub text: Pii<String>,
}

/// The input of [`Invitation::send`].
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// The ID of the new invitation.
    pub id: InvitationId,
    /// The engagement to join.
    pub engagement: EngagementId,
    /// The inviting account.
    pub sender: AccountId,
    /// The member of the inviting account who sends it.
    pub sent_by: MemberId,
    /// The invited account.
    pub receiver: AccountId,
    /// The sender's name for the receiver. May be empty.
    pub alias: Pii<String>,
    /// The shared opportunity.
    pub source: OpportunityId,
}

impl Invitation {
    /// Sends an invitation that expires after `days` (COL-010).
    pub fn send(new: NewInvitation, days: u32, now: DateTime<Utc>) -> (Self, InvitationEvent) {
        let invitation = Self {
            id: new.id,
            engagement: new.engagement,
            sender: new.sender,
            sent_by: new.sent_by,
            receiver: new.receiver,
            alias: new.alias,
            source: new.source,
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

    /// Accepts the invitation; `opportunity` is the ID of the receiver's shared copy (COL-020).
    pub fn accept(
        &mut self,
        by: &MemberId,
        opportunity: OpportunityId,
        now: DateTime<Utc>,
    ) -> Result<InvitationEvent, Rule> {
        self.require_pending("ACCEPT", now)?;
        self.opportunity = Some(opportunity);
        self.record_answer(EngagementInvitationState::Accepted, Some(by.clone()), now);
        Ok(InvitationEvent::Accepted)
    }

    /// Rejects the invitation. Reason OTHER requires a text (COL-013).
    pub fn reject(
        &mut self,
        by: &MemberId,
        reason: RejectionReason,
        text: Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<InvitationEvent, Rule> {
        self.require_pending("REJECT", now)?;
        if reason == RejectionReason::Other && text.reveal().trim().is_empty() {
            let root = FieldPath::root();
            let violation = Violation::new(
                &root.field("text"),
                ViolationCode::RequiredFieldMissing,
                "Is required with reason OTHER.",
            );
            return Err(Rule::Invalid(vec![violation]));
        }
        self.record_answer(EngagementInvitationState::Rejected, Some(by.clone()), now);
        if let Some(answer) = &mut self.answer {
            answer.reason = Some(reason);
            answer.text = text;
        }
        Ok(InvitationEvent::Rejected)
    }

    /// Cancels the invitation: the sender, or for `None` the platform when the connection of the accounts ends
    /// (COL-014).
    pub fn cancel(&mut self, by: Option<&MemberId>, now: DateTime<Utc>) -> Result<InvitationEvent, Rule> {
        self.require_pending("CANCEL", now)?;
        self.record_answer(EngagementInvitationState::Canceled, by.cloned(), now);
        Ok(InvitationEvent::Canceled)
    }

    /// Expires a pending invitation past its deadline. No event otherwise (COL-010).
    pub fn expire(&mut self, now: DateTime<Utc>) -> Option<InvitationEvent> {
        if self.state != EngagementInvitationState::Pending || now < self.expire_time {
            return None;
        }
        self.set_state(EngagementInvitationState::Expired, now);
        Some(InvitationEvent::Expired)
    }

    /// The state at this time: a pending invitation is expired from its deadline on, even before the expiry is stored.
    pub fn state_at(&self, now: DateTime<Utc>) -> EngagementInvitationState {
        if self.state == EngagementInvitationState::Pending && now >= self.expire_time {
            EngagementInvitationState::Expired
        } else {
            self.state
        }
    }

    /// Whether sender and receiver can read the content at this time (COL-012).
    pub fn has_readable_content(&self, now: DateTime<Utc>) -> bool {
        matches!(
            self.state_at(now),
            EngagementInvitationState::Pending | EngagementInvitationState::Accepted
        )
    }

    /// Whether the account is the sender or the receiver. `None` for other accounts.
    pub fn participant_type(&self, account: &AccountId) -> Option<ParticipantType> {
        if *account == self.sender {
            Some(ParticipantType::Sender)
        } else if *account == self.receiver {
            Some(ParticipantType::Receiver)
        } else {
            None
        }
    }

    fn require_pending(&self, action: &'static str, now: DateTime<Utc>) -> Result<(), Rule> {
        match self.state_at(now) {
            EngagementInvitationState::Pending => Ok(()),
            state => Err(Rule::IllegalTransition {
                state: state.name(),
                action,
            }),
        }
    }

    fn record_answer(&mut self, state: EngagementInvitationState, by: Option<MemberId>, now: DateTime<Utc>) {
        self.answer = Some(InvitationAnswer {
            by,
            time: now,
            reason: None,
            text: Pii::default(),
        });
        self.set_state(state, now);
    }

    fn set_state(&mut self, state: EngagementInvitationState, now: DateTime<Utc>) {
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

    /// The sender's shared opportunity.
    pub fn source(&self) -> OpportunityId {
        self.source
    }

    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// The stored state, which may still be PENDING after the deadline.
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

    pub fn answer(&self) -> Option<&InvitationAnswer> {
        self.answer.as_ref()
    }

    /// The receiver's shared copy. `None` unless accepted.
    pub fn opportunity(&self) -> Option<OpportunityId> {
        self.opportunity
    }
}
