use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert_channel, status};

pub async fn handle(
    api: Api,
    call: Call<pb::DeclineChannelRequest>,
) -> Result<pb::DeclineChannelResponse, Failure> {
    let message = &call.message;
    let about = (message.channel_id.as_str(), message.etag.as_str());
    let changed = api.change_channel(&call, about, |channel, member, now| {
        let declined = channel.decline(&member.id, message.text.clone().into(), now);
        declined.map(|event| vec![event]).map_err(status::broken)
    });
    let channel = changed.await?;
    Ok(pb::DeclineChannelResponse {
        channel: Some(convert_channel::channel(&channel)),
    })
}
