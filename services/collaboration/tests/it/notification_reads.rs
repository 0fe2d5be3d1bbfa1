//! Covers `CollaborationInternalService`: what the notification service reads for its e-mails (COL-011, CHN-012, CHN-031).

use cosell_collaboration::Collaboration;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::collaboration_internal_service_client::CollaborationInternalServiceClient;
use cosell_proto::cosell::r#type::v1::ParticipantType;
use cosell_testkit::harness::{Client, refused, service};
use cosell_types::Caller;
use tonic::Code;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use crate::channels::{account_owner, ace_user, prepare, request_channel};
use crate::support::{ALDER, BIRCH, CEDAR, Scenario, alliance_lead, sales};

pub type InternalClient = CollaborationInternalServiceClient<InterceptedService<Channel, Client>>;

pub fn internal_client(scenario: &Scenario, caller: &Caller) -> InternalClient {
    CollaborationInternalServiceClient::new(scenario.app.channel_for(caller))
}

pub fn channel_invitation_request(channel: &str, member: &str) -> pb::GetChannelInvitationRequest {
    pb::GetChannelInvitationRequest {
        account_id: ALDER.to_owned(),
        channel_id: channel.to_owned(),
        member_account_id: ALDER.to_owned(),
        member_id: member.to_owned(),
    }
}

#[tokio::test]
async fn chn_031_channel_invitation_is_read_by_notification_only() {
    let scenario = Scenario::start().await;
    prepare(&scenario).await;
    let id = request_channel(&scenario, &["mem-user"]).await.channel_id;
    let request = channel_invitation_request(&id, "mem-user");
    let mut notification = internal_client(&scenario, &service("notification"));
    let response = notification
        .get_channel_invitation(request.clone())
        .await
        .expect("an invitation")
        .into_inner();
    assert_eq!(response.channel.expect("the channel").channel_id, id);
    // The operator of this scenario configures no links.
    assert_eq!(
        (response.leave_url.as_str(), response.opt_out_url.as_str()),
        ("", "")
    );
    for caller in [
        service("review"),
        ace_user(),
        alliance_lead(ALDER),
        account_owner(),
        sales(),
    ] {
        let response = internal_client(&scenario, &caller)
            .get_channel_invitation(request.clone())
            .await;
        refused(response, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    }
    let not_member = channel_invitation_request(&id, "mem-lead-111111111111");
    let other_account = pb::GetChannelInvitationRequest {
        account_id: BIRCH.to_owned(),
        ..request.clone()
    };
    let other_member_account = pb::GetChannelInvitationRequest {
        member_account_id: BIRCH.to_owned(),
        ..request
    };
    let unknown = channel_invitation_request("chan-0000000000000", "mem-user");
    for request in [not_member, other_account, other_member_account, unknown] {
        let response = notification.get_channel_invitation(request).await;
        refused(response, Code::NotFound, "CHANNEL_NOT_FOUND");
    }
    scenario.app.finish::<Collaboration>().await;
}

#[tokio::test]
async fn col_011_engagement_invitation_is_read_as_visible_to_each_account() {
    let scenario = Scenario::start().await;
    let shared = scenario.share(&[BIRCH]).await;
    let id = &shared.engagement_invitations[0].engagement_invitation_id;
    let request = |account: &str| pb::GetEngagementInvitationForAccountRequest {
        account_id: account.to_owned(),
        engagement_invitation_id: id.clone(),
    };
    let mut notification = internal_client(&scenario, &service("notification"));
    for (account, participant) in [
        (ALDER, ParticipantType::Sender),
        (BIRCH, ParticipantType::Receiver),
    ] {
        let visible = scenario.list_invitations(&alliance_lead(account)).await;
        let response = notification
            .get_engagement_invitation_for_account(request(account))
            .await;
        let invitation = response
            .expect("an invitation")
            .into_inner()
            .engagement_invitation;
        let invitation = invitation.expect("an invitation");
        assert_eq!(invitation.participant_type(), participant);
        assert_eq!(
            [invitation],
            *visible,
            "{account} must see what its alliance lead sees"
        );
    }
    let response = notification
        .get_engagement_invitation_for_account(request(CEDAR))
        .await;
    refused(response, Code::NotFound, "ENGAGEMENT_INVITATION_NOT_FOUND");
    for caller in [
        service("opportunity"),
        alliance_lead(ALDER),
        alliance_lead(BIRCH),
        sales(),
    ] {
        let response = internal_client(&scenario, &caller)
            .get_engagement_invitation_for_account(request(ALDER))
            .await;
        refused(response, Code::PermissionDenied, "ROLE_NOT_PERMITTED");
    }
    scenario.app.finish::<Collaboration>().await;
}
