use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_types::ClosedList as _;

use super::{Api, convert, visible};
use crate::domain::values::SnapshotJobState;
use crate::store::list::{Last, jobs};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListSnapshotJobsRequest>,
) -> Result<pb::ListSnapshotJobsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.last(&token, Last::is_sound)?;
    let reach = visible::reach(call.member()?);
    let state = SnapshotJobState::from_number(call.message.state);
    let mut tx = api.begin(&call).await?;
    let engagement = &call.message.engagement_id;
    let found = jobs(&mut tx, &reach, engagement, state, last, size + 1).await?;
    let (jobs, next_page_token) = query.page(&found, size, convert::job, Last::of_job)?;
    Ok(pb::ListSnapshotJobsResponse {
        snapshot_jobs: jobs,
        next_page_token,
    })
}
