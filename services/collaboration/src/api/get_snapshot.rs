use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_types::{ClosedList as _, Side};

use super::{Api, convert, status};
use crate::domain::access;
use crate::domain::values::SnapshotTemplate;
use crate::store;

/// Row-level security says which snapshots a company reads; who of it does, the row by which it reaches the engagement.
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
    let mut tx = api.begin(&call).await?;
    if member.side == Side::Partner {
        let by = store::works_for(&mut tx, &member.account, &message.engagement_id).await?;
        by.filter(|by| access::works_on(member, by))
            .ok_or_else(not_found)?;
    }
    let found =
        store::load_snapshot(&mut tx, &message.engagement_id, opportunity, template, revision).await?;
    let (snapshot, payload) = found.ok_or_else(not_found)?;
    Ok(pb::GetResourceSnapshotResponse {
        resource_snapshot: Some(convert::snapshot(&snapshot, Some(payload))?),
    })
}
