use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::Api;
use super::list_resource_snapshots::list_page;
use crate::store::list::SnapshotFilter;

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListEngagementResourcesRequest>,
) -> Result<pb::ListEngagementResourcesResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let filter = SnapshotFilter {
        newest_only: true,
        ..SnapshotFilter::default()
    };
    let (resources, next_page_token) = list_page(
        api,
        &call,
        &call.message.engagement_id,
        &filter,
        (&query, &token, size),
    )
    .await?;
    Ok(pb::ListEngagementResourcesResponse {
        resource_snapshots: resources,
        next_page_token,
    })
}
