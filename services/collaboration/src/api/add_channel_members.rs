use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::Api;
use crate::channel_members::load_channel_members;
use crate::domain::Channel;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::AddChannelMembersRequest>,
) -> Result<pb::AddChannelMembersResponse, Failure> {
    let message = &call.message;
    let target = (message.channel_id.as_str(), message.etag.as_str());
    let now = api.clock.now();
    let changed = change(&api.db, &call, target, now, async |tx, channel: &mut Channel| {
        let own = &call.member()?.account;
        let mut added = load_channel_members(tx, own, &message.aws_member_ids, "aws_member_ids").await?;
        let (partner, ids) = (channel.account(), &message.partner_member_ids);
        added.extend(load_channel_members(tx, partner, ids, "partner_member_ids").await?);
        let event = channel.add_members(added, now).map_err(status::rule_violated)?;
        Ok(event.into_iter().collect())
    });
    let channel = changed.await?;
    Ok(pb::AddChannelMembersResponse {
        channel: Some(convert::channel(&channel)),
    })
}
