//! What decides which changes are allowed: the review status, the stage, the involvement.

use cosell_types::ClosedList as _;

use super::Field;
use super::field::FieldSet;
use super::values::{InvolvementType, ReviewStatus, Stage, StageMove};

/// The record's position in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Situation {
    /// Where it stands in review.
    pub status: ReviewStatus,
    /// Where the deal stands.
    pub stage: Stage,
    /// How far AWS is involved; none before the first submission.
    pub involvement: Option<InvolvementType>,
    /// Fields that the reviewer opened for correction besides those that always are (REV-013).
    pub opened: FieldSet,
}

/// A change of the review status (OPP-030).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The partner submits.
    Submit,
    /// The partner takes the submission back.
    Withdraw,
    /// The partner throws the draft away.
    Discard,
    /// A reviewer starts.
    StartReview,
    /// A reviewer approves.
    Approve,
    /// A reviewer sends it back.
    RequireAction,
    /// A reviewer rejects.
    Reject,
}

impl Transition {
    /// Every transition.
    pub const ALL: [Transition; 7] = [
        Transition::Submit,
        Transition::Withdraw,
        Transition::Discard,
        Transition::StartReview,
        Transition::Approve,
        Transition::RequireAction,
        Transition::Reject,
    ];

    /// The name used in errors.
    pub fn name(self) -> &'static str {
        match self {
            Transition::Submit => "SUBMIT",
            Transition::Withdraw => "WITHDRAW_SUBMISSION",
            Transition::Discard => "DISCARD_DRAFT",
            Transition::StartReview => "START_REVIEW",
            Transition::Approve => "APPROVE",
            Transition::RequireAction => "REQUIRE_ACTION",
            Transition::Reject => "REJECT",
        }
    }

    /// The status after the transition from this one; `None` where it is not legal. A discarded draft has no status
    /// any more: it keeps the one it had.
    pub fn from(self, status: ReviewStatus) -> Option<ReviewStatus> {
        use ReviewStatus as S;
        match (status, self) {
            (S::PendingSubmission | S::ActionRequired, Transition::Submit) => Some(S::Submitted),
            (S::Submitted, Transition::Withdraw) => Some(S::PendingSubmission),
            (S::PendingSubmission, Transition::Discard) => Some(S::PendingSubmission),
            (S::Submitted, Transition::StartReview) => Some(S::InReview),
            (S::Submitted | S::InReview, Transition::Approve) => Some(S::Approved),
            (S::Submitted | S::InReview, Transition::RequireAction) => Some(S::ActionRequired),
            (S::Submitted | S::InReview, Transition::Reject) => Some(S::Rejected),
            _ => None,
        }
    }
}

impl StageMove {
    /// From one stage to another.
    pub fn between(from: Stage, to: Stage) -> Self {
        match (to, to.number() - from.number()) {
            (Stage::Launched, _) => StageMove::Launched,
            (Stage::ClosedLost, _) => StageMove::Lost,
            (_, 1) => StageMove::Advanced,
            (_, ..=0) => StageMove::Regressed,
            _ => StageMove::Skipped,
        }
    }
}

impl Situation {
    /// Whether AWS follows the stage, and these changes are a move.
    pub fn moves_with(self, changed: &[Field]) -> bool {
        self.status == ReviewStatus::Approved && changed.contains(&Field::Stage)
    }

    /// Whether any field at all may be changed now.
    pub fn is_editable(self) -> bool {
        Field::ALL.iter().any(|field| field.is_editable(self))
    }
}

impl Stage {
    /// Whether the deal is over.
    pub fn is_terminal(self) -> bool {
        matches!(self, Stage::Launched | Stage::ClosedLost)
    }
}
