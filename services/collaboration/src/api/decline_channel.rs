use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::Api;
use crate::domain::Channel;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::DeclineChannelRequest>,
) -> Result<pb::DeclineChannelResponse, Failure> {
    let message = &call.message;
    let target = (message.channel_id.as_str(), message.etag.as_str());
    let now = api.clock.now();
    let changed = change(&api.db, &call, target, now, async |_, channel: &mut Channel| {
        let member = call.member()?;
        let declined = channel.decline(&member.id, message.text.clone().into(), now);
        Ok(vec![declined.map_err(status::rule_violated)?])
    });
    let channel = changed.await?;
    Ok(pb::DeclineChannelResponse {
        channel: Some(convert::channel(&channel)),
    })
}
