use cosell_events::{Delivery, Fault};
use cosell_grpc::MAX_RESPONSE;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::channel_service_client::ChannelServiceClient;
use pb::ChannelProvider;

use super::{FromCollaboration, News};
use crate::domain::values::Kind;
use crate::domain::{Facts, Shared};
use crate::store::About;

/// What is told of a channel, and of whose people: of the account of the event, or of another one.
pub async fn prepare(
    handler: &FromCollaboration,
    delivery: &Delivery,
    event: pb::ChannelEventDetail,
) -> Result<Option<(News, String)>, Fault> {
    let own = (event.requested_by.clone(), event.account_id.clone());
    let (kind, how, (member, account), link) = if delivery.is::<pb::ChannelRequested>() {
        (Kind::ChannelRequested, "", (String::new(), own.1), String::new())
    } else if delivery.is::<pb::ChannelApproved>() {
        (Kind::ChannelDecided, "has been granted", own, String::new())
    } else if delivery.is::<pb::ChannelDeclined>() {
        (Kind::ChannelDecided, "has not been granted", own, String::new())
    } else if delivery.is::<pb::ChannelMemberInvited>() {
        let invited: pb::ChannelMemberInvited = delivery.message()?;
        let link = link(handler, &event.account_id, &event.channel_id).await?;
        let person = (invited.member_id, invited.member_account_id);
        (Kind::ChannelInvited, "", person, link)
    } else {
        return Ok(None);
    };
    let news = News {
        kind,
        about: About {
            opportunity: event.opportunity_id.parse().ok(),
            invitation: None,
        },
        own_of: member.parse().into_iter().collect(),
        contacts: Vec::new(),
        reviewer: None,
        facts: Facts {
            opportunity_id: event.opportunity_id,
            partner: event.account_id,
            shared: Shared {
                channel: event.channel_id,
                link,
                how,
                ..Shared::default()
            },
            ..Facts::default()
        },
    };
    Ok(Some((news, account)))
}

/// Where a channel is that people keep by hand; a provider that makes channels asks people to them itself.
async fn link(handler: &FromCollaboration, account: &str, channel: &str) -> Result<String, Fault> {
    let request = handler.collaboration.request(pb::GetChannelRequest {
        channel_id: channel.to_owned(),
        account_id: account.to_string(),
    })?;
    let answer = ChannelServiceClient::new(handler.collaboration.channel())
        .max_decoding_message_size(MAX_RESPONSE)
        .get_channel(request)
        .await;
    let channel = answer
        .map_err(|status| Fault::from_status(&status))?
        .into_inner()
        .channel
        .unwrap_or_default();
    Ok(match channel.provider() {
        ChannelProvider::Manual => channel.link,
        _ => String::new(),
    })
}
