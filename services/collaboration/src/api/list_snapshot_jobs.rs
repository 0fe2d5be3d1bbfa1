use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::begin;
use cosell_types::ClosedList as _;

use super::Api;
use crate::convert;
use crate::domain::values::SnapshotJobState;
use crate::load::visibility_scope;
use crate::store::list::{TimeCursor, list_jobs};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListSnapshotJobsRequest>,
) -> Result<pb::ListSnapshotJobsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.cursor(&token, TimeCursor::is_valid)?;
    let scope = visibility_scope(call.member()?);
    let state = SnapshotJobState::from_number(call.message.state);
    let mut tx = begin(&api.db, &call).await?;
    let engagement = &call.message.engagement_id;
    let rows = list_jobs(&mut tx, &scope, engagement, state, last, size + 1).await?;
    let (jobs, next_page_token) = query.page(&rows, size, convert::job, TimeCursor::of_job)?;
    Ok(pb::ListSnapshotJobsResponse {
        snapshot_jobs: jobs,
        next_page_token,
    })
}
