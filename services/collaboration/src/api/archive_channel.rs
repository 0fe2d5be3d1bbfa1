use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert_channel, status};

pub async fn handle(
    api: Api,
    call: Call<pb::ArchiveChannelRequest>,
) -> Result<pb::ArchiveChannelResponse, Failure> {
    let message = &call.message;
    let about = (message.channel_id.as_str(), message.etag.as_str());
    let changed = api.change_channel(&call, about, |channel, _, now| {
        channel
            .archive(now)
            .map(|event| vec![event])
            .map_err(status::broken)
    });
    let channel = changed.await?;
    Ok(pb::ArchiveChannelResponse {
        channel: Some(convert_channel::channel(&channel)),
    })
}
