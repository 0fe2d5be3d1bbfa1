use cosell_types::MemberId;

use super::Field;
use super::values::{RelatedEntityType, ReviewReason, Stage};

/// A change of an opportunity. Each is published as an event, stored in the history, and counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The opportunity was created.
    Created,
    /// These fields were updated.
    Updated(Vec<Field>),
    /// The stage of an approved opportunity was changed.
    StageChanged {
        /// The previous stage.
        from: Stage,
        /// All updated fields, including the stage.
        fields: Vec<Field>,
    },
    /// These fields of a closed opportunity were corrected.
    ClosureCorrected(Vec<Field>),
    /// AWS reopened the opportunity, which was closed in this stage.
    Reopened(Stage),
    /// The opportunity was transferred to another member.
    Assigned {
        /// The previous owner.
        from: MemberId,
        /// The id of the bulk job, if one transferred it.
        job: Option<String>,
    },
    /// An entity of this type was associated or disassociated.
    Related(RelatedEntityType),
    /// Tags were set or removed.
    Tagged,
    /// The draft was discarded.
    Discarded,
    /// The opportunity was submitted.
    Submitted,
    /// The submission was withdrawn.
    Withdrawn,
    /// A reviewer started the review.
    ReviewStarted,
    /// The opportunity was approved.
    Approved,
    /// The reviewer requires corrections.
    ActionRequired(ReviewReason),
    /// The opportunity was rejected.
    Rejected(ReviewReason),
}

impl Event {
    /// Name in the history, in logs and in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Created => "created",
            Event::Updated(_) | Event::Related(_) | Event::Tagged => "updated",
            Event::StageChanged { .. } => "stage_changed",
            Event::ClosureCorrected(_) => "closure_corrected",
            Event::Reopened(_) => "reopened",
            Event::Assigned { .. } => "assigned",
            Event::Discarded => "discarded",
            Event::Submitted => "submitted",
            Event::Withdrawn => "submission_withdrawn",
            Event::ReviewStarted => "review_started",
            Event::Approved => "approved",
            Event::ActionRequired(_) => "action_required",
            Event::Rejected(_) => "rejected",
        }
    }

    /// Paths of the fields that the event changed; empty for events that are not updates.
    pub fn changed_fields(&self) -> Vec<String> {
        match self {
            Event::Updated(fields) | Event::StageChanged { fields, .. } | Event::ClosureCorrected(fields) => {
                fields.iter().map(|field| field.path().to_owned()).collect()
            }
            Event::Related(kind) => vec![kind.path().to_owned()],
            Event::Tagged => vec!["tags".to_owned()],
            _ => Vec::new(),
        }
    }
}
