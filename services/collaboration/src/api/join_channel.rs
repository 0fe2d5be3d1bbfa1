use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_types::ClosedList as _;

use super::{Api, convert, status};
use crate::domain::values::ChannelProvider;
use crate::domain::{Rule, access};

/// Where a provider keeps the channel it says itself who has come, with an address that it has made sure of.
pub async fn handle(
    api: Api,
    call: Call<pb::JoinChannelRequest>,
) -> Result<pb::JoinChannelResponse, Failure> {
    let message = &call.message;
    let about = (message.channel_id.as_str(), message.etag.as_str());
    let changed = api.change_channel(&call, about, |channel, member, now| {
        let who = access::person(member);
        let present = channel.member(&who);
        let state = present
            .ok_or_else(|| status::channel_not_found(&message.channel_id))?
            .state;
        let by_hand = channel.provider() == ChannelProvider::Manual;
        let joined = channel.joined(&who, None, now).filter(|_| by_hand);
        let refused = || {
            status::broken(Rule::IllegalTransition {
                state: state.name(),
                action: "JOIN",
            })
        };
        Ok(vec![joined.ok_or_else(refused)?])
    });
    let channel = changed.await?;
    Ok(pb::JoinChannelResponse {
        channel: Some(convert::channel(&channel)),
    })
}
