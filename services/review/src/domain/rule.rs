use cosell_types::{MemberId, Violation};

use super::values::CaseState;

/// The actions on a case that depend on its state (REV-002).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseAction {
    /// ClaimReviewCase.
    Claim,
    /// StartReview.
    Start,
    /// DecideReview.
    Decide,
    /// A submission opens the next round.
    OpenRound,
}

impl CaseAction {
    /// The name used in errors.
    pub fn name(self) -> &'static str {
        match self {
            CaseAction::Claim => "CLAIM",
            CaseAction::Start => "START",
            CaseAction::Decide => "DECIDE",
            CaseAction::OpenRound => "OPEN_ROUND",
        }
    }
}

/// A violated rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Fields of the request are invalid.
    #[error("fields of the request are invalid")]
    Invalid(Vec<Violation>),
    /// The state of the case does not allow the action (REV-002).
    #[error("{action:?} is not allowed in state {state:?}")]
    IllegalTransition {
        /// The current state of the case.
        state: CaseState,
        /// The refused action.
        action: CaseAction,
    },
    /// The case has no assignee (REV-003).
    #[error("the case is unclaimed")]
    NotClaimed,
    /// Another reviewer, with this id, is the assignee (REV-003).
    #[error("another reviewer has claimed the case")]
    ClaimedByAnother(MemberId),
}
