use chrono::{DateTime, Utc};
use cosell_types::{AccountId, FieldPath, MemberId, Violation, ViolationCode, revision_time, text_id};
use serde::{Deserialize, Serialize};

use super::values::{ReferralOfferState, ReferralState};
use super::{Offer, ReferralEvent, Rule};

text_id!(
    /// A referral: `ref-` and 13 lower-case letters or digits.
    ReferralId,
    "referral id",
    "ref- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "ref-")
);

/// A deal that AWS offers to partners, one after the other: the aggregate. What the deal is stands beside it, as it never
/// changes.
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
    /// How many of the receivers had their turn.
    asked: usize,
}

impl Referral {
    /// Begins to offer a deal, to the first of the receivers (REF-001, REF-002, REF-010).
    pub fn create(
        id: ReferralId,
        account: AccountId,
        by: MemberId,
        receivers: Vec<AccountId>,
        consent: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(Self, ReferralEvent), Rule> {
        let found = Self::check_consent(Some(consent), now);
        if !found.is_empty() {
            return Err(Rule::Invalid(found));
        }
        let referral = Self {
            id,
            account,
            revision: 1,
            state: ReferralState::Offered,
            created_by: by,
            create_time: now,
            update_time: now,
            receivers,
            asked: 1,
        };
        Ok((referral, ReferralEvent::Created))
    }

    /// What is wrong with the time at which the customer agreed; none is one that cannot be read (REF-002).
    pub fn check_consent(consent: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Vec<Violation> {
        let (code, text) = match consent {
            None => (
                ViolationCode::InvalidValue,
                "is no time between the years 1 and 9999",
            ),
            Some(consent) if consent > now => (
                ViolationCode::ValueOutOfRange,
                "lies in the future; a deal is offered once the customer has agreed",
            ),
            Some(_) => return Vec::new(),
        };
        let at = FieldPath::root();
        let at = at.field("referral");
        vec![Violation::new(&at.field("customer_consent_time"), code, text)]
    }

    /// Those who have not had their turn, in their order.
    pub fn waiting(&self) -> &[AccountId] {
        self.receivers.get(self.asked..).unwrap_or_default()
    }

    /// The offer that was made has ended; `next` is which of those who wait gets the deal now, if any can. None when
    /// nothing was to be done any more (REF-011).
    pub fn offer_ended(
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
                self.asked += next + 1;
                Some(ReferralEvent::Routed)
            }
            None => {
                self.asked = self.receivers.len();
                self.state = ReferralState::Exhausted;
                Some(ReferralEvent::Exhausted)
            }
        }
    }

    /// Its id.
    pub fn id(&self) -> &ReferralId {
        &self.id
    }

    /// The AWS account that offers.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Number of its changes.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// Whether somebody has it.
    pub fn state(&self) -> ReferralState {
        self.state
    }

    /// Who offers it.
    pub fn created_by(&self) -> &MemberId {
        &self.created_by
    }

    /// When it began.
    pub fn create_time(&self) -> DateTime<Utc> {
        self.create_time
    }

    /// When it changed last.
    pub fn update_time(&self) -> DateTime<Utc> {
        self.update_time
    }

    /// To whom it is offered, in this order.
    pub fn receivers(&self) -> &[AccountId] {
        &self.receivers
    }
}
