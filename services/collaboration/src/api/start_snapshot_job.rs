use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::Api;
use crate::domain::SnapshotJob;
use crate::write::{JobChanged, change};
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::StartSnapshotJobRequest>,
) -> Result<pb::StartSnapshotJobResponse, Failure> {
    let target = (call.message.snapshot_job_id.as_str(), call.message.etag.as_str());
    let now = api.clock.now();
    let changed = change(&api.db, &call, target, now, async |_, job: &mut SnapshotJob| {
        job.start(now).map_err(status::rule_violated)?;
        Ok(vec![JobChanged])
    });
    let job = changed.await?;
    Ok(pb::StartSnapshotJobResponse {
        snapshot_job: Some(convert::job(&job)),
    })
}
