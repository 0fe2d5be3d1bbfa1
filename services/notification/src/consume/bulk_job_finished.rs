use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::opportunity::v1::{BulkJobFinished, BulkKind, BulkState};

use super::PreparedNotification;
use crate::domain::values::NotificationKind;
use crate::domain::{BulkJobFacts, TemplateFacts};
use crate::store::RelatedRecords;

/// Notifies the member who started the job and, for a transfer, the previous and the new owners: once for the job, not
/// for each opportunity.
pub fn prepare(delivery: &Delivery) -> Result<PreparedNotification, HandlerError> {
    let event: BulkJobFinished = delivery.message()?;
    let (kind, state) = (event.kind(), event.state());
    let mut concerned_members = vec![event.created_by, event.owner_member_id.clone()];
    concerned_members.extend(event.previous_owner_member_ids);
    let job = BulkJobFacts {
        kind: match kind {
            BulkKind::Transfer => "Transfer",
            BulkKind::Import | BulkKind::Unspecified => "Import",
        },
        outcome: match state {
            BulkState::Canceled => "was canceled",
            BulkState::Failed => "was stopped because a member involved no longer has the required role",
            BulkState::Completed | BulkState::Running | BulkState::Unspecified => "is completed",
        },
        name: format!("operations/{}", event.bulk_job_id),
        total: event.total,
        processed: event.processed,
        failed: event.failed,
    };
    Ok(PreparedNotification {
        kind: NotificationKind::BulkJobFinished,
        related: RelatedRecords::default(),
        concerned_members: concerned_members
            .iter()
            .filter_map(|id| id.parse().ok())
            .collect(),
        contacts: Vec::new(),
        reviewer: None,
        facts: TemplateFacts {
            member: event.owner_member_id,
            job,
            ..TemplateFacts::default()
        },
    })
}
