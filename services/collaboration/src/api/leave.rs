use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, status};

pub async fn handle(
    api: Api,
    call: Call<pb::LeaveEngagementRequest>,
) -> Result<pb::LeaveEngagementResponse, Failure> {
    let message = &call.message;
    let about = (message.engagement_id.as_str(), message.etag.as_str());
    let changed = api.change(&call, about, |engagement, member, now| {
        engagement
            .leave(&member.account, now)
            .map(Some)
            .map_err(status::broken)
    });
    changed.await?;
    Ok(pb::LeaveEngagementResponse {})
}
