//! The state that decides which changes are allowed, and the transitions of the review status.

use cosell_types::ClosedList as _;

use super::Field;
use super::field::EditableIn::{ActionRequired, Approved, ApprovedForVisibility, Launched};
use super::field::FieldSet;
use super::values::{InvolvementType, ReviewStatus, Stage, StageMove};

/// The part of an opportunity that decides which changes are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifecycleState {
    /// The review status.
    pub status: ReviewStatus,
    /// The sales stage.
    pub stage: Stage,
    /// The involvement; `None` before the first submission.
    pub involvement: Option<InvolvementType>,
    /// Fields that the last decision opened for correction, by its reason or by name, besides those that every decision
    /// opens (OPP-040, REV-013).
    pub fields_to_correct: FieldSet,
}

/// A change of the review status (OPP-030).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The partner submits.
    Submit,
    /// The partner withdraws the submission.
    Withdraw,
    /// The partner discards the draft.
    Discard,
    /// A reviewer starts the review.
    StartReview,
    /// A reviewer approves.
    Approve,
    /// A reviewer requires corrections.
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

    /// Name in errors.
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

    /// The review status after the transition; `None` if the transition is not legal from this status. A discarded
    /// draft no longer exists, so its status stays.
    pub fn next_status(self, status: ReviewStatus) -> Option<ReviewStatus> {
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
    /// Classifies the change from one stage to another.
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

impl LifecycleState {
    /// Whether these changes include a stage move: the opportunity is approved and its stage changes (OPP-034).
    pub fn is_stage_move(self, changed: &[Field]) -> bool {
        self.status == ReviewStatus::Approved && changed.contains(&Field::Stage)
    }

    /// Whether any field is editable in this state.
    pub fn is_editable(self) -> bool {
        Field::ALL.iter().any(|field| field.is_editable(self))
    }
}

impl Stage {
    /// Whether an opportunity in this stage is closed.
    pub fn is_terminal(self) -> bool {
        matches!(self, Stage::Launched | Stage::ClosedLost)
    }
}

impl Field {
    /// Whether the field is editable in this state.
    pub fn is_editable(self, state: LifecycleState) -> bool {
        let editable_in = self.editable_in();
        match state.status {
            ReviewStatus::PendingSubmission => true,
            ReviewStatus::ActionRequired => {
                editable_in.contains(&ActionRequired) || state.fields_to_correct.contains(self)
            }
            ReviewStatus::Approved => match state.stage {
                Stage::Launched => editable_in.contains(&Launched),
                Stage::ClosedLost => false,
                _ => {
                    let for_visibility = state.involvement == Some(InvolvementType::ForVisibilityOnly);
                    editable_in.contains(&Approved)
                        || (for_visibility && editable_in.contains(&ApprovedForVisibility))
                }
            },
            ReviewStatus::Submitted | ReviewStatus::InReview | ReviewStatus::Rejected => false,
        }
    }
}
