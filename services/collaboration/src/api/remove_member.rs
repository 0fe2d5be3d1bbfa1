use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::RemoveEngagementMemberRequest>,
) -> Result<pb::RemoveEngagementMemberResponse, Failure> {
    let message = &call.message;
    let removed = message.account_id.parse().map_err(Failure::internal)?;
    let about = (message.engagement_id.as_str(), message.etag.as_str());
    let changed = api.change(&call, about, |engagement, member, now| {
        if *engagement.account() != member.account {
            return Err(status::engagement_not_found(&message.engagement_id));
        }
        engagement
            .remove(&removed, &member.account, now)
            .map(Some)
            .map_err(status::broken)
    });
    let engagement = changed.await?;
    Ok(pb::RemoveEngagementMemberResponse {
        engagement: Some(convert::engagement(&engagement, call.member()?)),
    })
}
