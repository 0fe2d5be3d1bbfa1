use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, Scope, claim};

use super::{Api, status, visible};
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::DeleteSnapshotJobRequest>,
) -> Result<pb::DeleteSnapshotJobResponse, Failure> {
    let message = &call.message;
    let mut tx = api.begin(&call).await?;
    // Repeated, the job is gone, as it should be.
    if claim(&mut tx, &call, &message.snapshot_job_id).await? != Claim::New {
        return Ok(pb::DeleteSnapshotJobResponse {});
    }
    let seen = visible::job(&mut tx, &call, &message.snapshot_job_id).await?;
    let account = &seen.subject().account;
    tx.act_for(&Scope::account(account)).await?;
    let held = store::lock_job(&mut tx, account, seen.id()).await?;
    let job = held.ok_or_else(|| status::job_not_found(&message.snapshot_job_id))?;
    etags::check(&message.etag, job.revision())?;
    job.can_be_deleted().map_err(status::broken)?;
    store::delete_job(&mut tx, &job).await?;
    api.conclude(tx, &call, &["snapshot_job_deleted"]).await?;
    Ok(pb::DeleteSnapshotJobResponse {})
}
