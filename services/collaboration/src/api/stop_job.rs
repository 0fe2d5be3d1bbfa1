use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert};

pub async fn handle(
    api: Api,
    call: Call<pb::StopSnapshotJobRequest>,
) -> Result<pb::StopSnapshotJobResponse, Failure> {
    let about = (call.message.snapshot_job_id.as_str(), call.message.etag.as_str());
    let job = api.change_job(&call, about, |job, _| job.stop()).await?;
    Ok(pb::StopSnapshotJobResponse {
        snapshot_job: Some(convert::job(&job)),
    })
}
