use chrono::{DateTime, Utc};
use cosell_types::{AccountId, FieldPath, MemberId, Violation, ViolationCode, revision_time, text_id};
use serde::{Deserialize, Serialize};

use super::values::{ReferralOfferState, ReferralState};
use super::{Offer, ReferralEvent, Rule};

text_id!(
    /// The id of a referral: `ref-` and 13 lower-case letters or digits.
    ReferralId,
    "referral id",
    "ref- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "ref-")
);

/// The aggregate of a referral: an opportunity or lead that AWS offers to a list of partner accounts, one at a time.
/// Its content never changes and is stored beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    id: ReferralId,
    account: AccountId,
    revision: i64,
    state: ReferralState,
    created_by: MemberId,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    receivers: Vec<AccountId>,
    /// How many of the receivers have received an offer or were skipped.
    #[serde(rename = "asked")]
    routed: usize,
}

/// The time of the customer's consent, as AWS states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentTime {
    /// None is stated.
    Unset,
    /// It is no timestamp of the years 1 to 9999.
    Unrepresentable,
    /// The time.
    At(DateTime<Utc>),
}

impl Referral {
    /// Creates a referral, which is routed to the first receiver (REF-001, REF-002, REF-010).
    pub fn create(
        id: ReferralId,
        account: AccountId,
        created_by: MemberId,
        receivers: Vec<AccountId>,
        consent: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(Self, ReferralEvent), Rule> {
        let violations = Self::check_consent(&ConsentTime::At(consent), now);
        if !violations.is_empty() {
            return Err(Rule::Invalid(violations));
        }
        let referral = Self {
            id,
            account,
            revision: 1,
            state: ReferralState::Offered,
            created_by,
            create_time: now,
            update_time: now,
            receivers,
            routed: 1,
        };
        Ok((referral, ReferralEvent::Created))
    }

    /// The violations of the time of the customer's consent (REF-002).
    pub fn check_consent(consent: &ConsentTime, now: DateTime<Utc>) -> Vec<Violation> {
        let (code, text) = match consent {
            ConsentTime::Unset => (
                ViolationCode::RequiredFieldMissing,
                "Is required: AWS refers a customer only after the customer has consented.",
            ),
            ConsentTime::Unrepresentable => (
                ViolationCode::InvalidValue,
                "Must be a valid timestamp in the years 1 to 9999.",
            ),
            ConsentTime::At(consent) if *consent > now => (
                ViolationCode::ValueOutOfRange,
                "Must not be in the future: AWS refers a customer only after the customer has consented.",
            ),
            ConsentTime::At(_) => return Vec::new(),
        };
        let root = FieldPath::root();
        let referral = root.field("referral");
        vec![Violation::new(
            &referral.field("customer_consent_time"),
            code,
            text,
        )]
    }

    /// The receivers to which the referral was not routed yet, in order.
    pub fn remaining_receivers(&self) -> &[AccountId] {
        self.receivers.get(self.routed..).unwrap_or_default()
    }

    /// Applies the outcome of the current offer. Unless it was accepted, the referral is routed to the next receiver;
    /// `next` is its index in [`Self::remaining_receivers`], `None` if none is eligible. Returns `None` if the referral
    /// is already closed (REF-011).
    pub fn apply_closed_offer(
        &mut self,
        offer: &Offer,
        next: Option<usize>,
        now: DateTime<Utc>,
    ) -> Option<ReferralEvent> {
        if self.state != ReferralState::Offered {
            return None;
        }
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
        if offer.state() == ReferralOfferState::Accepted {
            self.state = ReferralState::Accepted;
            return Some(ReferralEvent::Accepted);
        }
        match next {
            Some(next) => {
                self.routed += next + 1;
                Some(ReferralEvent::Routed)
            }
            None => {
                self.routed = self.receivers.len();
                self.state = ReferralState::Exhausted;
                Some(ReferralEvent::Exhausted)
            }
        }
    }
}

#[expect(missing_docs, reason = "fields are documented once, in referral.proto")]
impl Referral {
    pub fn id(&self) -> &ReferralId {
        &self.id
    }

    pub fn account(&self) -> &AccountId {
        &self.account
    }

    pub fn revision(&self) -> i64 {
        self.revision
    }

    pub fn state(&self) -> ReferralState {
        self.state
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

    pub fn receivers(&self) -> &[AccountId] {
        &self.receivers
    }
}
