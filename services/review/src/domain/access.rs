//! Who may do what: review is for AWS reviewers; other services read cases (ACC-010).

use cosell_types::{Caller, Role};

/// What can be asked of this service, one for each RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// ListReviewCases.
    List,
    /// GetReviewCase.
    Get,
    /// ClaimReviewCase.
    Claim,
    /// StartReview.
    Start,
    /// DecideReview.
    Decide,
}

/// Whether the caller may make the call.
pub fn permits(caller: &Caller, action: Action) -> bool {
    match caller {
        // The opportunity reads the remarks of a decision when it is told of it.
        Caller::Service(_) => action == Action::Get,
        // No partner can hold this role.
        Caller::Member(member) => member.has_any(&[Role::Reviewer]),
    }
}
