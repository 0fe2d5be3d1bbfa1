use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;

use super::{Api, convert, people, status, visible};

pub async fn handle(
    api: Api,
    call: Call<pb::AddChannelMembersRequest>,
) -> Result<pb::AddChannelMembersResponse, Failure> {
    let message = &call.message;
    let mut tx = api.begin(&call).await?;
    let seen = visible::channel(&mut tx, &call, &message.channel_id).await?;
    let own = &call.member()?.account;
    let mut added = people::of(&mut tx, own, &message.aws_member_ids, "aws_member_ids").await?;
    let partner = seen.account();
    added.extend(
        people::of(
            &mut tx,
            partner,
            &message.partner_member_ids,
            "partner_member_ids",
        )
        .await?,
    );
    drop(tx);
    let about = (message.channel_id.as_str(), message.etag.as_str());
    let changed = api.change_channel(&call, about, |channel, _, now| {
        let happened = channel.add(added, now).map_err(status::broken)?;
        Ok(happened.into_iter().collect())
    });
    let channel = changed.await?;
    Ok(pb::AddChannelMembersResponse {
        channel: Some(convert::channel(&channel)),
    })
}
