use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert_channel, status};
use crate::domain::access;
use crate::domain::values::ChannelProvider;

/// Where a provider keeps the channel it says itself who has come, with an address that it has made sure of.
pub async fn handle(
    api: Api,
    call: Call<pb::JoinChannelRequest>,
) -> Result<pb::JoinChannelResponse, Failure> {
    let message = &call.message;
    let about = (message.channel_id.as_str(), message.etag.as_str());
    let changed = api.change_channel(&call, about, |channel, member, now| {
        let who = access::person(member);
        let joined = match channel.provider() {
            ChannelProvider::Manual => channel.joined(&who, None, now),
            ChannelProvider::Slack => None,
        };
        let event = joined.ok_or_else(|| status::not_moved(channel, &who, "JOIN"))?;
        Ok(vec![event])
    });
    let channel = changed.await?;
    Ok(pb::JoinChannelResponse {
        channel: Some(convert_channel::channel(&channel)),
    })
}
