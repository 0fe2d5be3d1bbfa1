use cosell_grpc::{Call, Failure, Retry};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::Scope;
use cosell_types::AccountId;

use super::Api;
use crate::domain::values::{ChannelMemberState, ChannelProvider};
use crate::domain::{ChannelId, MemberRef};
use crate::links::{LinkAction, LinkTarget};
use crate::store;
use crate::{convert, status};

/// A provider other than MANUAL shows the actions of the links in the channel itself (CHN-031).
pub async fn handle(
    api: &Api,
    call: Call<pb::GetChannelInvitationRequest>,
) -> Result<pb::GetChannelInvitationResponse, Failure> {
    let message = &call.message;
    let not_found = || status::channel_not_found(&message.channel_id);
    let account: AccountId = message.account_id.parse().map_err(|_| not_found())?;
    let channel_id: ChannelId = message.channel_id.parse().map_err(|_| not_found())?;
    let member_ref = MemberRef {
        account: message.member_account_id.parse().map_err(|_| not_found())?,
        member: message.member_id.parse().map_err(|_| not_found())?,
    };
    let mut tx = api
        .db
        .tx(&Scope::account(&account).in_class(call.caller.class()))
        .await?;
    let channel = store::load_channel(&mut tx, &channel_id)
        .await?
        .ok_or_else(not_found)?;
    drop(tx);
    let member = channel.member(&member_ref).ok_or_else(not_found)?;
    // The member may have left, or the channel may be closed, since the event that this call serves.
    let is_invited = !channel.is_closed()
        && matches!(
            member.state,
            ChannelMemberState::Invited | ChannelMemberState::Joined
        );
    let mut message = convert::channel(&channel);
    message.members.clear();
    if !is_invited {
        message.link.clear();
    }
    let mut response = pb::GetChannelInvitationResponse {
        channel: Some(message),
        ..Default::default()
    };
    if let Some(links) = &api.channel_links
        && is_invited
        && channel.provider() == ChannelProvider::Manual
    {
        let target = LinkTarget {
            account,
            channel: channel_id,
            member_ref,
        };
        let now = api.clock.now();
        let url = async |action| {
            let url = links.url(action, &target, now).await;
            // The key is missing while it is replaced.
            url.map_err(|error| Failure::unavailable(Retry::Never, error))
        };
        response.leave_url = url(LinkAction::Leave).await?;
        response.opt_out_url = url(LinkAction::OptOut).await?;
    }
    Ok(response)
}
