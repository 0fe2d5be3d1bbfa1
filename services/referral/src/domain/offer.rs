use chrono::{DateTime, Utc};
use cosell_types::{
    AccountId, FieldPath, MemberId, OpportunityId, Pii, RejectionReason, Violation, ViolationCode,
    revision_time, text_id,
};
use serde::{Deserialize, Serialize};

use super::values::{PayloadType, ReferralOfferState};
use super::{Action, Calendar, Event, LeadId, Referral, ReferralId, Rule};

text_id!(
    /// An offer: `engi-`, a digit and 12 lower-case letters or digits.
    OfferId,
    "offer id",
    "engi-, a digit and 12 lower-case letters or digits",
    |text| cosell_types::is_digit_first(text, "engi-")
);

/// An offer of a deal or a lead to one partner: the aggregate. It changes only through its methods, each of which
/// checks everything first, changes nothing when a rule is broken, and returns what happened.
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
    /// When to remind of it; none once that was done.
    remind_time: Option<DateTime<Utc>>,
    answer: Option<Answer>,
    opportunity: Option<OpportunityId>,
    lead: Option<LeadId>,
    /// When it changed last.
    update_time: DateTime<Utc>,
}

/// What a partner answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Who.
    pub by: MemberId,
    /// When.
    pub time: DateTime<Utc>,
    /// Why it was rejected.
    pub reason: Option<RejectionReason>,
    /// Why it was rejected, in words.
    pub text: Pii<String>,
}

impl Offer {
    /// Offers a deal or a lead to a partner (REF-010, REF-020, REF-050).
    pub fn make(
        id: OfferId,
        account: AccountId,
        referral: &Referral,
        payload_type: PayloadType,
        calendar: &Calendar,
        now: DateTime<Utc>,
    ) -> (Self, Event) {
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
        (offer, Event::Offered)
    }

    /// Takes what is offered: of a deal the opportunity will come, of a lead the lead (REF-030, REF-050). The other
    /// id is not used.
    pub fn accept(
        &mut self,
        by: &MemberId,
        opportunity: OpportunityId,
        lead: LeadId,
        now: DateTime<Utc>,
    ) -> Result<Event, Rule> {
        self.require(Action::Accept, now)?;
        match self.payload_type {
            PayloadType::OpportunityInvitation => self.opportunity = Some(opportunity),
            PayloadType::LeadInvitation => self.lead = Some(lead),
        }
        self.answered(ReferralOfferState::Accepted, by, None, Pii::default(), now);
        Ok(Event::Accepted)
    }

    /// Refuses the deal (REF-031).
    pub fn reject(
        &mut self,
        by: &MemberId,
        reason: RejectionReason,
        text: Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<Event, Rule> {
        self.require(Action::Reject, now)?;
        if reason == RejectionReason::Other && text.reveal().trim().is_empty() {
            let at = FieldPath::root();
            let wrong = "is required with reason OTHER";
            return Err(Rule::Invalid(vec![Violation::new(
                &at.field("text"),
                ViolationCode::RequiredFieldMissing,
                wrong,
            )]));
        }
        self.answered(ReferralOfferState::Rejected, by, Some(reason), text, now);
        Ok(Event::Rejected)
    }

    /// Reminds of it, or ends it, when it is time for that (REF-020, REF-021). None when it is not, or when it was done.
    pub fn come_due(&mut self, now: DateTime<Utc>) -> Option<Event> {
        if self.state != ReferralOfferState::Pending {
            return None;
        }
        if now >= self.expire_time {
            self.step(ReferralOfferState::Expired, now);
            return Some(Event::Expired);
        }
        self.remind_time.filter(|time| now >= *time)?;
        self.remind_time = None;
        self.step(ReferralOfferState::Pending, now);
        Some(Event::ExpiresSoon)
    }

    /// When something is to be done about it next: to remind, to end it, or, once it has ended, to see to the referral.
    pub fn due_time(&self) -> DateTime<Utc> {
        match self.state {
            ReferralOfferState::Pending => self.remind_time.unwrap_or(self.expire_time),
            // At once: whatever it is, it became due after the offer was made.
            _ => self.offer_time,
        }
    }

    /// Where it stands at this time: over is over, also before anybody has noted it.
    pub fn state_at(&self, now: DateTime<Utc>) -> ReferralOfferState {
        if self.state == ReferralOfferState::Pending && now >= self.expire_time {
            ReferralOfferState::Expired
        } else {
            self.state
        }
    }

    /// Whether the partner sees what is offered (REF-021, REF-031).
    pub fn is_shown(&self) -> bool {
        matches!(
            self.state,
            ReferralOfferState::Pending | ReferralOfferState::Accepted
        )
    }

    fn require(&self, action: Action, now: DateTime<Utc>) -> Result<(), Rule> {
        match self.state_at(now) {
            ReferralOfferState::Pending => Ok(()),
            state => Err(Rule::IllegalTransition { state, action }),
        }
    }

    fn answered(
        &mut self,
        state: ReferralOfferState,
        by: &MemberId,
        reason: Option<RejectionReason>,
        text: Pii<String>,
        now: DateTime<Utc>,
    ) {
        self.answer = Some(Answer {
            by: by.clone(),
            time: now,
            reason,
            text,
        });
        self.step(state, now);
    }

    fn step(&mut self, state: ReferralOfferState, now: DateTime<Utc>) {
        self.state = state;
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
    }

    /// Its id.
    pub fn id(&self) -> &OfferId {
        &self.id
    }

    /// The partner.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The AWS account that offers.
    pub fn sender(&self) -> &AccountId {
        &self.sender
    }

    /// The referral that it is of.
    pub fn referral(&self) -> &ReferralId {
        &self.referral
    }

    /// Number of its changes.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// Where it stands, as far as was noted.
    pub fn state(&self) -> ReferralOfferState {
        self.state
    }

    /// When it was made.
    pub fn offer_time(&self) -> DateTime<Utc> {
        self.offer_time
    }

    /// Until when it can be answered.
    pub fn expire_time(&self) -> DateTime<Utc> {
        self.expire_time
    }

    /// When it changed last.
    pub fn update_time(&self) -> DateTime<Utc> {
        self.update_time
    }

    /// What the partner answered.
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }

    /// What is offered.
    pub fn payload_type(&self) -> PayloadType {
        self.payload_type
    }

    /// The opportunity that comes of it.
    pub fn opportunity(&self) -> Option<OpportunityId> {
        self.opportunity
    }

    /// The lead that came of it.
    pub fn lead(&self) -> Option<&LeadId> {
        self.lead.as_ref()
    }
}
