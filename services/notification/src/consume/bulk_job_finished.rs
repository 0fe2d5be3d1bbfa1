use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::opportunity::v1::{BulkJobFinished, BulkKind, BulkState};

use super::News;
use crate::domain::values::Kind;
use crate::domain::{Facts, Job};
use crate::store::About;

/// Both sides of a transfer are told of it at once, and not record by record.
pub fn prepare(delivery: &Delivery) -> Result<News, Fault> {
    let event: BulkJobFinished = delivery.message()?;
    let (kind, state) = (event.kind(), event.state());
    let mut own_of = vec![event.created_by, event.owner_member_id.clone()];
    own_of.extend(event.previous_owner_member_ids);
    let job = Job {
        what: match kind {
            BulkKind::Transfer => "The transfer",
            BulkKind::Import | BulkKind::Unspecified => "The import",
        },
        how: match state {
            BulkState::Canceled => "was canceled",
            BulkState::Failed => "was stopped, as who began it may not do so any more",
            BulkState::Completed | BulkState::Running | BulkState::Unspecified => "is done",
        },
        name: format!("operations/{}", event.bulk_job_id),
        total: event.total,
        processed: event.processed,
        failed: event.failed,
    };
    Ok(News {
        kind: Kind::BulkJobFinished,
        about: About {
            opportunity: None,
            invitation: None,
        },
        own_of: own_of.iter().filter_map(|id| id.parse().ok()).collect(),
        contacts: Vec::new(),
        reviewer: None,
        facts: Facts {
            member: event.owner_member_id,
            job,
            ..Facts::default()
        },
    })
}
