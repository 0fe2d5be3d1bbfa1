//! Public events: the one place where what happened inside becomes what others are told.

use cosell_events::{About, Cause, Event as Published};
use cosell_proto::cosell::review::v1 as pb;
use cosell_types::ClosedList as _;

use crate::domain::{Event, ReviewCase};

/// The name of this context in subjects.
pub const CONTEXT: &str = "review";

/// The public form of what happened to a case.
pub fn public(case: &ReviewCase, event: &Event, cause: Cause<'_>) -> Published {
    let about = About {
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
        Event::RoundOpened => {
            let message = pb::ReviewRoundOpened {
                review_case_id,
                opportunity_id,
                account_id,
                revision,
                round,
                assignee_member_id,
            };
            Published::new(about, cause, &message)
        }
        Event::Claimed => {
            let message = pb::ReviewCaseClaimed {
                review_case_id,
                opportunity_id,
                account_id,
                revision,
                assignee_member_id,
            };
            Published::new(about, cause, &message)
        }
        Event::Started => {
            let message = pb::ReviewStarted {
                review_case_id,
                opportunity_id,
                account_id,
                revision,
                round,
            };
            Published::new(about, cause, &message)
        }
        Event::Decided(decision, reason) => {
            let message = pb::ReviewDecided {
                review_case_id,
                opportunity_id,
                account_id,
                revision,
                round,
                decision: decision.number(),
                reason: reason.map_or(0, |reason| reason.number()),
            };
            Published::new(about, cause, &message)
        }
        Event::Withdrawn => {
            let message = pb::ReviewWithdrawn {
                review_case_id,
                opportunity_id,
                account_id,
                revision,
                round,
            };
            Published::new(about, cause, &message)
        }
    }
}
