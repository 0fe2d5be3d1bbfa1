use cosell_types::{MemberId, Violation};

use super::values::State;

/// What is asked of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Take it.
    Claim,
    /// Start on it.
    Start,
    /// Decide it.
    Decide,
    /// Open its next round.
    OpenRound,
}

impl Action {
    /// The name used in errors.
    pub fn name(self) -> &'static str {
        match self {
            Action::Claim => "CLAIM",
            Action::Start => "START",
            Action::Decide => "DECIDE",
            Action::OpenRound => "OPEN_ROUND",
        }
    }
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Fields are missing or wrong.
    #[error("fields are missing or wrong")]
    Invalid(Vec<Violation>),
    /// The state of the case does not allow it (REV-002).
    #[error("{action:?} is not possible in state {state:?}")]
    IllegalTransition {
        /// Where the case is.
        state: State,
        /// What was asked for.
        action: Action,
    },
    /// Nobody has the case (REV-003).
    #[error("nobody has claimed the case")]
    NotClaimed,
    /// Somebody else has the case (REV-003).
    #[error("another reviewer has claimed the case")]
    ClaimedByAnother(MemberId),
}
