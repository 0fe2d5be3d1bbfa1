use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert_channel, status};
use crate::domain::access;

pub async fn handle(
    api: Api,
    call: Call<pb::LeaveChannelRequest>,
) -> Result<pb::LeaveChannelResponse, Failure> {
    let message = &call.message;
    let about = (message.channel_id.as_str(), message.etag.as_str());
    let changed = api.change_channel(&call, about, |channel, member, now| {
        let who = access::person(member);
        let left = channel.left(&who, false, now);
        let event = left.ok_or_else(|| status::not_moved(channel, &who, "LEAVE"))?;
        Ok(vec![event])
    });
    let channel = changed.await?;
    Ok(pb::LeaveChannelResponse {
        channel: Some(convert_channel::channel(&channel)),
    })
}
