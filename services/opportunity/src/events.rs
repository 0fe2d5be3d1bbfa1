//! Public events: the one place where what happened inside becomes what others are told.

use cosell_events::{About, Cause, Event as Published};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::ClosedList as _;

use crate::domain::values::StageMove;
use crate::domain::{Event, Opportunity};

/// The name of this context in subjects.
pub const CONTEXT: &str = "opportunity";

/// The public form of what happened to a record.
pub fn public(record: &Opportunity, event: &Event, cause: Cause<'_>) -> Published {
    let opportunity_id = record.id().to_string();
    let account_id = record.account().to_string();
    let revision = record.revision();
    let round = record.review().round;
    let about = About {
        context: CONTEXT,
        aggregate: CONTEXT,
        account: record.account(),
        id: &opportunity_id,
        version: revision,
    };
    let verb = event.name();
    let id = opportunity_id.clone();
    match event {
        Event::Created => Published::new(
            about,
            cause,
            verb,
            &pb::OpportunityCreated {
                opportunity_id: id,
                account_id,
                revision,
                cloned_from_opportunity_id: record.cloned_from().map(|id| id.to_string()).unwrap_or_default(),
            },
        ),
        Event::Updated(_) | Event::Related(_) => {
            let message = pb::OpportunityUpdated {
                opportunity_id: id,
                account_id,
                revision,
                changed_fields: event.changed_fields(),
                review_status: record.review().status.number(),
                stage: record.details().life_cycle.stage.number(),
            };
            Published::new(about, cause, verb, &message)
        }
        Event::StageChanged { from, .. } => {
            let stage = record.details().life_cycle.stage;
            let message = pb::OpportunityStageChanged {
                opportunity_id: id,
                account_id,
                revision,
                changed_fields: event.changed_fields(),
                previous_stage: from.number(),
                stage: stage.number(),
                stage_move: StageMove::between(*from, stage).number(),
            };
            Published::new(about, cause, verb, &message)
        }
        Event::Reopened(from) => {
            let message = pb::OpportunityReopened {
                opportunity_id: id,
                account_id,
                revision,
                previous_stage: from.number(),
                stage: record.details().life_cycle.stage.number(),
            };
            Published::new(about, cause, verb, &message)
        }
        Event::Assigned(previous) => {
            let message = pb::OpportunityAssigned {
                opportunity_id: id,
                account_id,
                revision,
                previous_owner_member_id: previous.to_string(),
                owner_member_id: record.owner().to_string(),
            };
            Published::new(about, cause, verb, &message)
        }
        Event::Discarded => Published::new(
            about,
            cause,
            verb,
            &pb::OpportunityDiscarded {
                opportunity_id: id,
                account_id,
                revision,
            },
        ),
        Event::Submitted => {
            let message = pb::OpportunitySubmitted {
                opportunity_id: id,
                account_id,
                revision,
                round,
                involvement_type: record.involvement().map_or(0, |involvement| involvement.number()),
                visibility: record.visibility().map_or(0, |visibility| visibility.number()),
            };
            Published::new(about, cause, verb, &message)
        }
        Event::Withdrawn => {
            let message = pb::OpportunitySubmissionWithdrawn {
                opportunity_id: id,
                account_id,
                revision,
                round,
            };
            Published::new(about, cause, verb, &message)
        }
        Event::ReviewStarted => {
            let message = pb::OpportunityReviewStarted {
                opportunity_id: id,
                account_id,
                revision,
                round,
            };
            Published::new(about, cause, verb, &message)
        }
        Event::Approved => {
            let message = pb::OpportunityApproved {
                opportunity_id: id,
                account_id,
                revision,
                round,
            };
            Published::new(about, cause, verb, &message)
        }
        Event::ActionRequired(reason) => {
            let reason = reason.number();
            let message = pb::OpportunityActionRequired {
                opportunity_id: id,
                account_id,
                revision,
                round,
                reason,
            };
            Published::new(about, cause, verb, &message)
        }
        Event::Rejected(reason) => {
            let reason = reason.number();
            let message = pb::OpportunityRejected {
                opportunity_id: id,
                account_id,
                revision,
                round,
                reason,
            };
            Published::new(about, cause, verb, &message)
        }
    }
}
