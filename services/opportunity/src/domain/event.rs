use cosell_types::MemberId;

use super::Field;
use super::values::{RelatedEntityType, ReviewReason, Stage};

/// What happened to a record. Becomes a public event, a row of its history, and a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A draft was registered.
    Created,
    /// Fields were changed.
    Updated(Vec<Field>),
    /// The stage of an approved deal was changed, perhaps with other fields.
    StageChanged {
        /// Where the deal stood.
        from: Stage,
        /// All fields that were changed.
        fields: Vec<Field>,
    },
    /// AWS opened the deal again, which had been in this stage.
    Reopened(Stage),
    /// It was given to another member.
    Assigned {
        /// Who owned it.
        from: MemberId,
        /// The job that did it with others.
        job: Option<String>,
    },
    /// An entity of this type was added or taken away.
    Related(RelatedEntityType),
    /// Tags were set or removed.
    Tagged,
    /// The draft was thrown away.
    Discarded,
    /// It was submitted for this round.
    Submitted,
    /// The submission of this round was taken back.
    Withdrawn,
    /// The review of this round began.
    ReviewStarted,
    /// It was validated.
    Approved,
    /// It was sent back.
    ActionRequired(ReviewReason),
    /// It was rejected.
    Rejected(ReviewReason),
}

impl Event {
    /// Its name in the history, in logs and in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Created => "created",
            Event::Updated(_) | Event::Related(_) | Event::Tagged => "updated",
            Event::StageChanged { .. } => "stage_changed",
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

    /// Paths of the fields that a partner changed.
    pub fn changed_fields(&self) -> Vec<String> {
        match self {
            Event::Updated(fields) | Event::StageChanged { fields, .. } => {
                fields.iter().map(|field| field.path().to_owned()).collect()
            }
            Event::Related(kind) => vec![kind.path().to_owned()],
            Event::Tagged => vec!["tags".to_owned()],
            _ => Vec::new(),
        }
    }
}
