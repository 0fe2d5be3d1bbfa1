use chrono::{DateTime, Utc};
use cosell_types::{
    AccountId, FieldPath, MemberId, OpportunityId, Pii, RejectionReason, Violation, ViolationCode,
    revision_time, text_id,
};
use serde::{Deserialize, Serialize};

use super::values::{PayloadType, ReferralOfferState};
use super::{Calendar, LeadId, OfferAction, OfferEvent, Referral, ReferralId, Rule};

text_id!(
    /// The id of an offer: `engi-`, a digit and 12 lower-case letters or digits.
    OfferId,
    "offer id",
    "engi-, a digit and 12 lower-case letters or digits",
    |text| cosell_types::is_digit_first(text, "engi-")
);

/// The aggregate of a referral offer: the offer of an opportunity or lead to one partner account. Its methods check all
/// rules first: a call that violates one returns an error and changes nothing, any other returns the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    id: OfferId,
    account: AccountId,
    sender: AccountId,
    referral: ReferralId,
    payload_type: PayloadType,
    revision: i64,
    state: ReferralOfferState,
    offer_time: DateTime<Utc>,
    expire_time: DateTime<Utc>,
    /// When to send the reminder; `None` if there is none or it was sent.
    remind_time: Option<DateTime<Utc>>,
    answer: Option<OfferAnswer>,
    opportunity: Option<OpportunityId>,
    lead: Option<LeadId>,
    update_time: DateTime<Utc>,
}

/// The acceptance or rejection of an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferAnswer {
    /// The member who answered.
    #[serde(rename = "by")]
    pub answered_by: MemberId,
    /// When the member answered.
    #[serde(rename = "time")]
    pub answer_time: DateTime<Utc>,
    /// The reason for a rejection; `None` for an acceptance.
    #[serde(rename = "reason")]
    pub rejection_reason: Option<RejectionReason>,
    /// The explanation of a rejection; may be empty.
    #[serde(rename = "text")]
    pub rejection_text: Pii<String>,
}

impl Offer {
    /// Offers a referral to a partner account (REF-010, REF-020, REF-050).
    pub fn create(
        id: OfferId,
        account: AccountId,
        referral: &Referral,
        payload_type: PayloadType,
        calendar: &Calendar,
        now: DateTime<Utc>,
    ) -> (Self, OfferEvent) {
        let offer = Self {
            id,
            account,
            sender: referral.account().clone(),
            referral: referral.id().clone(),
            payload_type,
            revision: 1,
            state: ReferralOfferState::Pending,
            offer_time: now,
            expire_time: calendar.deadline(now),
            remind_time: calendar.reminder(now),
            answer: None,
            opportunity: None,
            lead: None,
            update_time: now,
        };
        (offer, OfferEvent::Offered)
    }

    /// Accepts the offer. `opportunity` and `lead` are the ids of the record that the acceptance creates; the one that
    /// does not match the payload type is not used (REF-030, REF-050).
    pub fn accept(
        &mut self,
        member: &MemberId,
        opportunity: OpportunityId,
        lead: LeadId,
        now: DateTime<Utc>,
    ) -> Result<OfferEvent, Rule> {
        self.require_pending(OfferAction::Accept, now)?;
        match self.payload_type {
            PayloadType::OpportunityInvitation => self.opportunity = Some(opportunity),
            PayloadType::LeadInvitation => self.lead = Some(lead),
        }
        self.record_answer(ReferralOfferState::Accepted, member, None, Pii::default(), now);
        Ok(OfferEvent::Accepted)
    }

    /// Rejects the offer (REF-031).
    pub fn reject(
        &mut self,
        member: &MemberId,
        reason: RejectionReason,
        text: Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<OfferEvent, Rule> {
        self.require_pending(OfferAction::Reject, now)?;
        if reason == RejectionReason::Other && text.reveal().trim().is_empty() {
            let root = FieldPath::root();
            return Err(Rule::Invalid(vec![Violation::new(
                &root.field("text"),
                ViolationCode::RequiredFieldMissing,
                "Is required with reason OTHER.",
            )]));
        }
        self.record_answer(ReferralOfferState::Rejected, member, Some(reason), text, now);
        Ok(OfferEvent::Rejected)
    }

    /// Expires a pending offer at its deadline; before that records the reminder, once it is due. `None` if no work is
    /// due (REF-020, REF-021).
    pub fn remind_or_expire(&mut self, now: DateTime<Utc>) -> Option<OfferEvent> {
        if self.state != ReferralOfferState::Pending {
            return None;
        }
        if now >= self.expire_time {
            self.transition_to(ReferralOfferState::Expired, now);
            return Some(OfferEvent::Expired);
        }
        self.remind_time.filter(|time| now >= *time)?;
        self.remind_time = None;
        self.transition_to(ReferralOfferState::Pending, now);
        Some(OfferEvent::ExpiresSoon)
    }

    /// When the next scheduled work is due: the reminder, the expiry or, once the offer is closed, the update of the
    /// referral.
    pub fn due_time(&self) -> DateTime<Utc> {
        match self.state {
            ReferralOfferState::Pending => self.remind_time.unwrap_or(self.expire_time),
            // In the past, so due immediately.
            _ => self.offer_time,
        }
    }

    /// The state at this time: past its deadline a pending offer is EXPIRED, even before the expiry is stored.
    pub fn state_at(&self, now: DateTime<Utc>) -> ReferralOfferState {
        if self.state == ReferralOfferState::Pending && now >= self.expire_time {
            ReferralOfferState::Expired
        } else {
            self.state
        }
    }

    /// Whether the content of the offer in its stored state is visible to the partner (REF-021, REF-031).
    pub fn is_content_visible(&self) -> bool {
        shows_content(self.state)
    }

    /// Whether the content of the offer is visible to the partner at this time: past the deadline of a pending offer it
    /// is not, even before the expiry is stored.
    pub fn is_content_visible_at(&self, now: DateTime<Utc>) -> bool {
        shows_content(self.state_at(now))
    }

    fn require_pending(&self, action: OfferAction, now: DateTime<Utc>) -> Result<(), Rule> {
        match self.state_at(now) {
            ReferralOfferState::Pending => Ok(()),
            state => Err(Rule::IllegalTransition { state, action }),
        }
    }

    fn record_answer(
        &mut self,
        state: ReferralOfferState,
        member: &MemberId,
        rejection_reason: Option<RejectionReason>,
        rejection_text: Pii<String>,
        now: DateTime<Utc>,
    ) {
        self.answer = Some(OfferAnswer {
            answered_by: member.clone(),
            answer_time: now,
            rejection_reason,
            rejection_text,
        });
        self.transition_to(state, now);
    }

    fn transition_to(&mut self, state: ReferralOfferState, now: DateTime<Utc>) {
        self.state = state;
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
    }
}

#[expect(missing_docs, reason = "fields are documented once, in referral.proto")]
impl Offer {
    pub fn id(&self) -> &OfferId {
        &self.id
    }

    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The AWS account that owns the referral.
    pub fn sender(&self) -> &AccountId {
        &self.sender
    }

    pub fn referral(&self) -> &ReferralId {
        &self.referral
    }

    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// The stored state, which may lag behind [`Self::state_at`].
    pub fn state(&self) -> ReferralOfferState {
        self.state
    }

    pub fn offer_time(&self) -> DateTime<Utc> {
        self.offer_time
    }

    pub fn expire_time(&self) -> DateTime<Utc> {
        self.expire_time
    }

    pub fn update_time(&self) -> DateTime<Utc> {
        self.update_time
    }

    /// The acceptance or rejection; `None` while pending and after expiry.
    pub fn answer(&self) -> Option<&OfferAnswer> {
        self.answer.as_ref()
    }

    pub fn payload_type(&self) -> PayloadType {
        self.payload_type
    }

    /// The opportunity that the acceptance creates; `None` for a lead.
    pub fn opportunity(&self) -> Option<OpportunityId> {
        self.opportunity
    }

    /// The lead that the acceptance created; `None` for an opportunity.
    pub fn lead(&self) -> Option<&LeadId> {
        self.lead.as_ref()
    }
}

fn shows_content(state: ReferralOfferState) -> bool {
    matches!(state, ReferralOfferState::Pending | ReferralOfferState::Accepted)
}
