use cosell_events::{Delivery, HandlerError};
use cosell_grpc::MAX_RESPONSE;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::channel_service_client::ChannelServiceClient;
use pb::ChannelProvider;

use super::{CollaborationEvents, PreparedNotification};
use crate::domain::values::NotificationKind;
use crate::domain::{CollaborationFacts, TemplateFacts};
use crate::store::RelatedRecords;

/// The notification of a channel event, with the account of its recipients, which may be another one than that of the
/// event.
pub async fn prepare(
    handler: &CollaborationEvents,
    delivery: &Delivery,
    event: pb::ChannelEventDetail,
) -> Result<Option<(PreparedNotification, String)>, HandlerError> {
    let requester = (event.requested_by.clone(), event.account_id.clone());
    let (kind, outcome, (member, account), link) = if delivery.is::<pb::ChannelRequested>() {
        let recipient = (String::new(), requester.1);
        (NotificationKind::ChannelRequested, "", recipient, String::new())
    } else if delivery.is::<pb::ChannelApproved>() {
        (
            NotificationKind::ChannelDecided,
            "was approved",
            requester,
            String::new(),
        )
    } else if delivery.is::<pb::ChannelDeclined>() {
        (
            NotificationKind::ChannelDecided,
            "was declined",
            requester,
            String::new(),
        )
    } else if delivery.is::<pb::ChannelMemberInvited>() {
        let invited: pb::ChannelMemberInvited = delivery.message()?;
        let link = load_manual_link(handler, &event.account_id, &event.channel_id).await?;
        let recipient = (invited.member_id, invited.member_account_id);
        (NotificationKind::ChannelInvited, "", recipient, link)
    } else {
        return Ok(None);
    };
    let notification = PreparedNotification {
        kind,
        related: RelatedRecords {
            opportunity: event.opportunity_id.parse().ok(),
            connection_invitation: None,
        },
        concerned_members: member.parse().into_iter().collect(),
        contacts: Vec::new(),
        reviewer: None,
        facts: TemplateFacts {
            opportunity_id: event.opportunity_id,
            partner: event.account_id,
            collaboration: CollaborationFacts {
                channel_id: event.channel_id,
                link,
                outcome,
                ..CollaborationFacts::default()
            },
            ..TemplateFacts::default()
        },
    };
    Ok(Some((notification, account)))
}

/// Reads the link of a manually managed channel. Empty for other providers, which invite members themselves.
async fn load_manual_link(
    handler: &CollaborationEvents,
    account: &str,
    channel: &str,
) -> Result<String, HandlerError> {
    let request = handler.collaboration.request(pb::GetChannelRequest {
        channel_id: channel.to_owned(),
        account_id: account.to_string(),
    })?;
    let response = ChannelServiceClient::new(handler.collaboration.channel())
        .max_decoding_message_size(MAX_RESPONSE)
        .get_channel(request)
        .await;
    let channel = response
        .map_err(|status| HandlerError::from_status(&status))?
        .into_inner()
        .channel
        .unwrap_or_default();
    Ok(match channel.provider() {
        ChannelProvider::Manual => channel.link,
        _ => String::new(),
    })
}
