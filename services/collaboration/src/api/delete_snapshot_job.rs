use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, begin, claim, commit};

use super::Api;
use crate::domain::SnapshotJob;
use crate::events::CONTEXT;
use crate::write::Aggregate as _;
use crate::{status, store};

/// Not a [`change`](crate::write::change): a replay has no job to load.
pub async fn handle(
    api: Api,
    call: Call<pb::DeleteSnapshotJobRequest>,
) -> Result<pb::DeleteSnapshotJobResponse, Failure> {
    let message = &call.message;
    let id = &message.snapshot_job_id;
    let mut tx = begin(&api.db, &call).await?;
    if claim(&mut tx, &call, id).await? != Claim::New {
        return Ok(pb::DeleteSnapshotJobResponse {});
    }
    let loaded = SnapshotJob::load(&mut tx, &call, id).await?;
    let job = loaded.lock(&mut tx, &call).await?;
    etags::check(&message.etag, job.revision())?;
    job.require_deletable().map_err(status::rule_violated)?;
    store::delete_job(&mut tx, &job).await?;
    commit(tx, &call, CONTEXT, &["snapshot_job_deleted"]).await?;
    Ok(pb::DeleteSnapshotJobResponse {})
}
