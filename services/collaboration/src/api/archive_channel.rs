use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::Api;
use crate::domain::Channel;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::ArchiveChannelRequest>,
) -> Result<pb::ArchiveChannelResponse, Failure> {
    let message = &call.message;
    let target = (message.channel_id.as_str(), message.etag.as_str());
    let now = api.clock.now();
    let changed = change(&api.db, &call, target, now, async |_, channel: &mut Channel| {
        let event = channel.archive(now).map_err(status::rule_violated)?;
        Ok(vec![event])
    });
    let channel = changed.await?;
    Ok(pb::ArchiveChannelResponse {
        channel: Some(convert::channel(&channel)),
    })
}
