use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert};

pub async fn handle(
    api: Api,
    call: Call<pb::StartSnapshotJobRequest>,
) -> Result<pb::StartSnapshotJobResponse, Failure> {
    let about = (call.message.snapshot_job_id.as_str(), call.message.etag.as_str());
    let job = api.change_job(&call, about, |job, now| job.start(now)).await?;
    Ok(pb::StartSnapshotJobResponse {
        snapshot_job: Some(convert::job(&job)),
    })
}
