use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_types::ClosedList as _;

use super::{Api, convert, status};
use crate::domain::{Rule, access};

pub async fn handle(
    api: Api,
    call: Call<pb::LeaveChannelRequest>,
) -> Result<pb::LeaveChannelResponse, Failure> {
    let message = &call.message;
    let about = (message.channel_id.as_str(), message.etag.as_str());
    let changed = api.change_channel(&call, about, |channel, member, now| {
        let who = access::person(member);
        let present = channel.member(&who);
        let state = present
            .ok_or_else(|| status::channel_not_found(&message.channel_id))?
            .state;
        let refused = || {
            status::broken(Rule::IllegalTransition {
                state: state.name(),
                action: "LEAVE",
            })
        };
        Ok(vec![channel.left(&who, false, now).ok_or_else(refused)?])
    });
    let channel = changed.await?;
    Ok(pb::LeaveChannelResponse {
        channel: Some(convert::channel(&channel)),
    })
}
