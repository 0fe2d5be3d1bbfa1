use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::Api;
use crate::domain::Channel;
use crate::domain::access;
use crate::domain::values::ChannelProvider;
use crate::write::change;
use crate::{convert, status};

/// Only for manual channels. Slack reports joins itself, with a verified e-mail address.
pub async fn handle(
    api: Api,
    call: Call<pb::JoinChannelRequest>,
) -> Result<pb::JoinChannelResponse, Failure> {
    let message = &call.message;
    let target = (message.channel_id.as_str(), message.etag.as_str());
    let now = api.clock.now();
    let changed = change(&api.db, &call, target, now, async |_, channel: &mut Channel| {
        let joining = access::member_ref(call.member()?);
        let joined = match channel.provider() {
            ChannelProvider::Manual => channel.member_joined(&joining, None, now),
            ChannelProvider::Slack => None,
        };
        let event = joined.ok_or_else(|| status::member_transition_refused(channel, &joining, "JOIN"))?;
        Ok(vec![event])
    });
    let channel = changed.await?;
    Ok(pb::JoinChannelResponse {
        channel: Some(convert::channel(&channel)),
    })
}
