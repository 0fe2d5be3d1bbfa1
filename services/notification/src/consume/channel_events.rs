use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::opportunity::v1::{AwsOpportunitySummary, Opportunity, Visibility};
use cosell_types::{ClosedList as _, Pii, Role};
use pb::ChannelProvider;

use super::{Dependencies, PreparedNotification};
use crate::convert;
use crate::domain::values::NotificationKind;
use crate::domain::{ChannelFacts, ProjectFacts, RecordRef, TemplateFacts};
use crate::peers::Peers;

/// The notification of a channel event, with the account of its recipients, which may be another one than that of the
/// event.
pub async fn prepare(
    dependencies: &Dependencies,
    delivery: &Delivery,
    event: pb::ChannelEventDetail,
) -> Result<Option<(PreparedNotification, String)>, HandlerError> {
    let peers = &dependencies.peers;
    if delivery.is::<pb::ChannelRequested>() {
        Ok(Some((prepare_request(peers, &event).await?, event.account_id)))
    } else if delivery.is::<pb::ChannelApproved>() {
        Ok(Some((
            prepare_decision(peers, &event, "approved").await?,
            event.account_id,
        )))
    } else if delivery.is::<pb::ChannelDeclined>() {
        Ok(Some((
            prepare_decision(peers, &event, "declined").await?,
            event.account_id,
        )))
    } else if delivery.is::<pb::ChannelMemberInvited>() {
        let invited: pb::ChannelMemberInvited = delivery.message()?;
        let notification = prepare_invitation(peers, &event, &invited).await?;
        Ok(Some((notification, invited.member_account_id)))
    } else {
        Ok(None)
    }
}

/// Notifies account owners of AWS: those in the AWS team of the opportunity, if there are any (NOT-006).
async fn prepare_request(
    peers: &Peers,
    event: &pb::ChannelEventDetail,
) -> Result<PreparedNotification, HandlerError> {
    let current = peers
        .find_current_as_aws(&event.account_id, &event.opportunity_id)
        .await?;
    let channel = peers.find_channel(&event.account_id, &event.channel_id).await?;
    let facts = ChannelFacts {
        requester: peers.member_name(&event.account_id, &event.requested_by).await?,
        partner: peers.company_name(&event.account_id).await?,
        purpose: channel.unwrap_or_default().purpose,
        ..ChannelFacts::default()
    };
    Ok(PreparedNotification {
        account_owners: account_owners(&current.aws_opportunity_summary.unwrap_or_default()),
        ..prepare_notification(
            NotificationKind::ChannelRequested,
            event,
            project_for_sales(current.opportunity),
            facts,
        )
    })
}

/// Notifies the member who requested the channel.
async fn prepare_decision(
    peers: &Peers,
    event: &pb::ChannelEventDetail,
    outcome: &'static str,
) -> Result<PreparedNotification, HandlerError> {
    let project = peers
        .own_project(&event.account_id, &event.opportunity_id)
        .await?;
    let channel = peers.find_channel(&event.account_id, &event.channel_id).await?;
    let facts = ChannelFacts {
        outcome,
        reason: channel.unwrap_or_default().decline_text,
        ..ChannelFacts::default()
    };
    Ok(PreparedNotification {
        concerned_members: event.requested_by.parse().into_iter().collect(),
        ..prepare_notification(NotificationKind::ChannelDecided, event, project, facts)
    })
}

/// Notifies the invited member. For a manually managed channel this is the first message of the channel (NOT-007).
/// Slack invites members itself and pins a message of its own.
async fn prepare_invitation(
    peers: &Peers,
    event: &pb::ChannelEventDetail,
    invited: &pb::ChannelMemberInvited,
) -> Result<PreparedNotification, HandlerError> {
    let (account, opportunity) = (&event.account_id, &event.opportunity_id);
    let project = if invited.member_account_id == *account {
        peers.own_project(account, opportunity).await?
    } else {
        project_for_sales(peers.find_current_as_aws(account, opportunity).await?.opportunity)
    };
    let request = pb::GetChannelInvitationRequest {
        account_id: event.account_id.clone(),
        channel_id: event.channel_id.clone(),
        member_account_id: invited.member_account_id.clone(),
        member_id: invited.member_id.clone(),
    };
    let invitation = peers.find_channel_invitation(request).await?.unwrap_or_default();
    let channel = invitation.channel.unwrap_or_default();
    let facts = ChannelFacts {
        requester: peers.member_name(&event.account_id, &event.requested_by).await?,
        partner: peers.company_name(&event.account_id).await?,
        provider: match channel.provider() {
            ChannelProvider::Manual => "MANUAL",
            ChannelProvider::Slack => "SLACK",
            ChannelProvider::Unspecified => "",
        },
        purpose: channel.purpose,
        url: channel.link,
        leave_url: invitation.leave_url,
        opt_out_url: invitation.opt_out_url,
        ..ChannelFacts::default()
    };
    Ok(PreparedNotification {
        concerned_members: invited.member_id.parse().into_iter().collect(),
        ..prepare_notification(NotificationKind::ChannelInvited, event, project, facts)
    })
}

/// The opportunity as the sales roles of AWS see it: not at all unless its visibility is FULL, and without what is
/// hidden for a classified one (ACC-011, OPP-017).
fn project_for_sales(current: Option<Opportunity>) -> ProjectFacts {
    let shown = current.filter(|record| record.visibility() == Visibility::Full);
    convert::project(&shown.unwrap_or_default())
}

/// The e-mail addresses of the account owners in the AWS team.
fn account_owners(summary: &AwsOpportunitySummary) -> Vec<Pii<String>> {
    summary
        .opportunity_team
        .iter()
        .filter(|contact| contact.business_title == Role::AccountOwner.literal())
        .map(|contact| contact.email.as_str().into())
        .collect()
}

fn prepare_notification(
    kind: NotificationKind,
    event: &pb::ChannelEventDetail,
    project: ProjectFacts,
    channel: ChannelFacts,
) -> PreparedNotification {
    let facts = TemplateFacts {
        records: vec![
            RecordRef::Channel(event.channel_id.clone()),
            RecordRef::Opportunity(event.opportunity_id.clone()),
        ],
        project,
        channel,
        ..TemplateFacts::default()
    };
    PreparedNotification::of_opportunity(kind, event.opportunity_id.parse().ok(), facts)
}
