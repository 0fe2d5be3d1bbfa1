//! Access to the RPCs: AWS reviewers call all of them, other services read cases (ACC-010).

use cosell_types::{Caller, Role};

/// The RPCs of this service.
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

/// Whether the caller has access to the RPC.
pub fn permits(caller: &Caller, action: Action) -> bool {
    match caller {
        // The opportunity service reads the review comments when it receives the event of a decision.
        Caller::Service(_) => action == Action::Get,
        // A member of a partner account cannot have this role.
        Caller::Member(member) => member.has_any_role(&[Role::Reviewer]),
    }
}
