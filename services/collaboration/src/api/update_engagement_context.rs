use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::Api;
use crate::domain::Engagement;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::UpdateEngagementContextRequest>,
) -> Result<pb::UpdateEngagementContextResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let target = (message.engagement_id.as_str(), message.etag.as_str());
    let now = api.clock.now();
    let context = convert::context_from_proto(message.context.clone().unwrap_or_default())?;
    let changed = change(
        &api.db,
        &call,
        target,
        now,
        async |_, engagement: &mut Engagement| {
            let updated = engagement.update_context(context, &member.account, now);
            Ok(updated.map_err(status::rule_violated)?.into_iter().collect())
        },
    );
    let engagement = changed.await?;
    Ok(pb::UpdateEngagementContextResponse {
        engagement: Some(convert::engagement(&engagement, member)),
    })
}
