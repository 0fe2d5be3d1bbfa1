use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::UpdateEngagementContextRequest>,
) -> Result<pb::UpdateEngagementContextResponse, Failure> {
    let message = &call.message;
    let context = convert::context_given(message.context.clone().unwrap_or_default())?;
    let about = (message.engagement_id.as_str(), message.etag.as_str());
    let changed = api.change(&call, about, |engagement, member, now| {
        engagement
            .update_context(context, &member.account, now)
            .map_err(status::broken)
    });
    let engagement = changed.await?;
    Ok(pb::UpdateEngagementContextResponse {
        engagement: Some(convert::engagement(&engagement, call.member()?)),
    })
}
