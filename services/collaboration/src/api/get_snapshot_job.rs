use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::convert;
use crate::load::load_job;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetSnapshotJobRequest>,
) -> Result<pb::GetSnapshotJobResponse, Failure> {
    let mut tx = begin(&api.db, &call).await?;
    let job = load_job(&mut tx, &call, &call.message.snapshot_job_id).await?;
    Ok(pb::GetSnapshotJobResponse {
        snapshot_job: Some(convert::job(&job)),
    })
}
