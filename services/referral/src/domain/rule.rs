use cosell_types::{AccountId, OpportunityId, Violation};

use super::Ineligible;
use super::values::ReferralOfferState;

/// What is asked of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Take the deal.
    Accept,
    /// Refuse it.
    Reject,
}

impl Action {
    /// The name used in errors.
    pub fn name(self) -> &'static str {
        match self {
            Action::Accept => "ACCEPT",
            Action::Reject => "REJECT",
        }
    }
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Fields are missing or wrong.
    #[error("fields are missing or wrong")]
    Invalid(Vec<Violation>),
    /// The state of the offer does not allow it (REF-010).
    #[error("{action:?} is not possible in state {state:?}")]
    IllegalTransition {
        /// Where the offer is.
        state: ReferralOfferState,
        /// What was asked for.
        action: Action,
    },
    /// A company of the list cannot be offered deals (REF-001).
    #[error("{0} cannot be offered deals")]
    Ineligible(AccountId, Ineligible),
    /// An opportunity was made of the lead, which does not change any more (REF-054).
    #[error("opportunity {0} was made of the lead")]
    Converted(OpportunityId),
    /// No opportunity is made of a lead that has no deal in it (REF-054).
    #[error("the lead is disqualified")]
    Disqualified,
}
