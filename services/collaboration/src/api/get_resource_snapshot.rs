use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::begin;
use cosell_types::{ClosedList as _, Side};

use super::Api;
use crate::domain::access;
use crate::domain::values::SnapshotTemplate;
use crate::store;
use crate::{convert, status};

/// Row-level security decides which snapshots an account can read, and the account's membership row which of its
/// members.
pub async fn handle(
    api: &Api,
    call: Call<pb::GetResourceSnapshotRequest>,
) -> Result<pb::GetResourceSnapshotResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let not_found = || status::snapshot_not_found(&message.opportunity_id);
    let opportunity = message.opportunity_id.parse().map_err(|_| not_found())?;
    let template = SnapshotTemplate::from_number(message.template).ok_or_else(not_found)?;
    let revision = message.revision;
    let mut tx = begin(&api.db, &call).await?;
    if member.side == Side::Partner {
        let joined_by = store::load_joined_by(&mut tx, &member.account, &message.engagement_id).await?;
        joined_by
            .filter(|joined_by| access::sees_records_of(member, joined_by))
            .ok_or_else(not_found)?;
    }
    let stored =
        store::load_snapshot(&mut tx, &message.engagement_id, opportunity, template, revision).await?;
    let (snapshot, payload) = stored.ok_or_else(not_found)?;
    Ok(pb::GetResourceSnapshotResponse {
        resource_snapshot: Some(convert::snapshot(&snapshot, Some(payload))?),
    })
}
