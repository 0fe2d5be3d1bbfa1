use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::opportunity::v1::{BulkJobFinished, BulkKind, BulkState};

use super::{Dependencies, PreparedNotification};
use crate::domain::values::NotificationKind;
use crate::domain::{BulkJobFacts, RecordRef, TemplateFacts};

/// Notifies the member who started the job and, for a transfer, the previous and the new owners: once for the job, not
/// for each opportunity.
pub async fn prepare(
    dependencies: &Dependencies,
    delivery: &Delivery,
) -> Result<PreparedNotification, HandlerError> {
    let event: BulkJobFinished = delivery.message()?;
    let (peers, account) = (&dependencies.peers, delivery.account.as_str());
    let (kind, state) = (event.kind(), event.state());
    let job = BulkJobFacts {
        kind: match kind {
            BulkKind::Transfer => "Transfer",
            BulkKind::Import | BulkKind::Unspecified => "Import",
        },
        outcome: match state {
            BulkState::Canceled => "was canceled",
            BulkState::Failed => "was stopped",
            BulkState::Completed | BulkState::Running | BulkState::Unspecified => "is completed",
        },
        reason: match state {
            BulkState::Failed => "A member involved no longer has the required role.",
            _ => "",
        },
        starter: peers.member_name(account, &event.created_by).await?,
        owner: peers.member_name(account, &event.owner_member_id).await?,
        total: event.total,
        processed: event.processed,
        failed: event.failed,
    };
    let mut concerned_members = vec![event.created_by, event.owner_member_id];
    concerned_members.extend(event.previous_owner_member_ids);
    let facts = TemplateFacts {
        records: vec![RecordRef::Operation(event.bulk_job_id)],
        job,
        ..TemplateFacts::default()
    };
    Ok(PreparedNotification {
        concerned_members: concerned_members
            .iter()
            .filter_map(|id| id.parse().ok())
            .collect(),
        ..PreparedNotification::new(NotificationKind::BulkJobFinished, facts)
    })
}
