use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::change::Held;
use super::{Api, convert_channel, people, status};

pub async fn handle(
    api: Api,
    call: Call<pb::AddChannelMembersRequest>,
) -> Result<pb::AddChannelMembersResponse, Failure> {
    let message = &call.message;
    let about = (message.channel_id.as_str(), message.etag.as_str());
    let channel = match api.hold_channel(&call, about).await? {
        Held::Done(channel) => channel,
        Held::Open(mut tx, mut channel) => {
            let own = &call.member()?.account;
            let mut added = people::of(&mut tx, own, &message.aws_member_ids, "aws_member_ids").await?;
            let (partner, ids) = (channel.account(), &message.partner_member_ids);
            added.extend(people::of(&mut tx, partner, ids, "partner_member_ids").await?);
            let happened = channel.add(added, api.clock.now()).map_err(status::broken)?;
            let happened = happened.into_iter().collect();
            api.keep_channel(tx, &call, channel, happened).await?
        }
    };
    Ok(pb::AddChannelMembersResponse {
        channel: Some(convert_channel::channel(&channel)),
    })
}
