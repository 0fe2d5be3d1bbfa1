use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert, visible};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetSnapshotJobRequest>,
) -> Result<pb::GetSnapshotJobResponse, Failure> {
    let mut tx = api.begin(&call).await?;
    let job = visible::job(&mut tx, &call, &call.message.snapshot_job_id).await?;
    Ok(pb::GetSnapshotJobResponse {
        snapshot_job: Some(convert::job(&job)),
    })
}
