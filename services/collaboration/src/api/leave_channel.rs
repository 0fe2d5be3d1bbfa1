use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::Api;
use crate::domain::Channel;
use crate::domain::access;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::LeaveChannelRequest>,
) -> Result<pb::LeaveChannelResponse, Failure> {
    let message = &call.message;
    let target = (message.channel_id.as_str(), message.etag.as_str());
    let now = api.clock.now();
    let changed = change(&api.db, &call, target, now, async |_, channel: &mut Channel| {
        let leaving = access::member_ref(call.member()?);
        let left = channel.member_left(&leaving, false, now);
        let event = left.ok_or_else(|| status::member_transition_refused(channel, &leaving, "LEAVE"))?;
        Ok(vec![event])
    });
    let channel = changed.await?;
    Ok(pb::LeaveChannelResponse {
        channel: Some(convert::channel(&channel)),
    })
}
