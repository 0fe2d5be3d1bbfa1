use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::Api;
use crate::domain::Engagement;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::RemoveEngagementMemberRequest>,
) -> Result<pb::RemoveEngagementMemberResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let target = (message.engagement_id.as_str(), message.etag.as_str());
    let now = api.clock.now();
    let removed = message.account_id.parse().map_err(Failure::internal)?;
    let changed = change(
        &api.db,
        &call,
        target,
        now,
        async |_, engagement: &mut Engagement| {
            if *engagement.account() != member.account {
                return Err(status::engagement_not_found(&message.engagement_id));
            }
            let event = engagement.remove(&removed, &member.account, now);
            Ok(vec![event.map_err(status::rule_violated)?])
        },
    );
    let engagement = changed.await?;
    Ok(pb::RemoveEngagementMemberResponse {
        engagement: Some(convert::engagement(&engagement, member)),
    })
}
