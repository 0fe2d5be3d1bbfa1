//! Converts domain events to the published events of this context.

use cosell_events::{AggregateRef, Cause, Event as PublishedEvent};
use cosell_proto::cosell::review::v1 as pb;
use cosell_types::ClosedList as _;

use crate::domain::{CaseEvent, ReviewCase};

/// The name of this context in subjects.
pub const CONTEXT: &str = "review";

/// The published event of a change of a case.
pub fn case_event(case: &ReviewCase, event: &CaseEvent, cause: Cause<'_>) -> PublishedEvent {
    let aggregate = AggregateRef {
        context: CONTEXT,
        aggregate: "review_case",
        account: case.account(),
        id: case.id().as_str(),
        version: case.revision(),
    };
    let review_case_id = case.id().to_string();
    let opportunity_id = case.opportunity().to_string();
    let account_id = case.account().to_string();
    let revision = case.revision();
    let round = case.round();
    let assignee_member_id = case.assignee().map(ToString::to_string).unwrap_or_default();
    match event {
        CaseEvent::RoundOpened => {
            let message = pb::ReviewRoundOpened {
                review_case_id,
                opportunity_id,
                account_id,
                revision,
                round,
                assignee_member_id,
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        CaseEvent::Claimed => {
            let message = pb::ReviewCaseClaimed {
                review_case_id,
                opportunity_id,
                account_id,
                revision,
                assignee_member_id,
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        CaseEvent::Started => {
            let message = pb::ReviewStarted {
                review_case_id,
                opportunity_id,
                account_id,
                revision,
                round,
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        CaseEvent::Decided(decision, reason) => {
            let message = pb::ReviewDecided {
                review_case_id,
                opportunity_id,
                account_id,
                revision,
                round,
                decision: decision.number(),
                reason: reason.map_or(0, |reason| reason.number()),
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        CaseEvent::Withdrawn => {
            let message = pb::ReviewWithdrawn {
                review_case_id,
                opportunity_id,
                account_id,
                revision,
                round,
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
    }
}
