use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::CreateEngagementContextRequest>,
) -> Result<pb::CreateEngagementContextResponse, Failure> {
    let message = &call.message;
    let context = convert::context_given(message.context.clone().unwrap_or_default())?;
    let about = (message.engagement_id.as_str(), message.etag.as_str());
    let changed = api.change(&call, about, |engagement, member, now| {
        let added = engagement.add_context(context, &member.account, now);
        added.map(Some).map_err(status::broken)
    });
    let engagement = changed.await?;
    Ok(pb::CreateEngagementContextResponse {
        engagement: Some(convert::engagement(&engagement, call.member()?)),
    })
}
