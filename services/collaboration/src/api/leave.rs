use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, status};

pub async fn handle(
    api: Api,
    call: Call<pb::LeaveEngagementRequest>,
) -> Result<pb::LeaveEngagementResponse, Failure> {
    let message = &call.message;
    let mut tx = api.begin(&call).await?;
    // For whoever has left there is no engagement any more, and still this is done.
    if let Claim::Replay(_) = claim(&mut tx, &call, &message.engagement_id).await? {
        return Ok(pb::LeaveEngagementResponse {});
    }
    drop(tx);
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
