use cosell_types::{AccountId, OpportunityId, Violation};

use super::Ineligible;
use super::values::ReferralOfferState;

/// The answers to an offer, which its state must allow (REF-010).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferAction {
    /// AcceptReferralOffer, BatchAcceptReferralOffers.
    Accept,
    /// RejectReferralOffer.
    Reject,
}

impl OfferAction {
    /// The name used in errors.
    pub fn name(self) -> &'static str {
        match self {
            OfferAction::Accept => "ACCEPT",
            OfferAction::Reject => "REJECT",
        }
    }
}

/// A violated rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Fields of the request are invalid.
    #[error("fields of the request are invalid")]
    Invalid(Vec<Violation>),
    /// The state of the offer does not allow the action (REF-010).
    #[error("{action:?} is not allowed in state {state:?}")]
    IllegalTransition {
        /// The current state of the offer.
        state: ReferralOfferState,
        /// The refused action.
        action: OfferAction,
    },
    /// A receiver is not eligible for referrals (REF-001).
    #[error("account {0} is not eligible for referrals")]
    Ineligible(AccountId, Ineligible),
    /// The lead was converted to this opportunity and is immutable (REF-054).
    #[error("the lead was converted to opportunity {0}")]
    Converted(OpportunityId),
    /// A disqualified lead cannot be converted (REF-054).
    #[error("the lead is disqualified")]
    Disqualified,
}
