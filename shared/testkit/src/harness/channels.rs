use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::channel_service_server::{ChannelService, ChannelServiceServer};
use cosell_proto::cosell::collaboration::v1::collaboration_internal_service_server::{
    CollaborationInternalService, CollaborationInternalServiceServer,
};
use cosell_proto::cosell::opportunity::v1::Contact;
use cosell_proto::cosell::r#type::v1::RejectionReason;
use pb::engagement_invitation::Payload;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status};

/// The link of the stub's channels.
pub const CHANNEL_LINK: &str = "https://chat.example/nordwind";
/// The page with which a member leaves a channel of the stub.
pub const LEAVE_URL: &str = "https://links.example/leave";
/// The page with which a member opts out of all channels.
pub const OPT_OUT_URL: &str = "https://links.example/opt-out";
/// The channel of the stub in Slack; all others are managed manually.
pub const SLACK_CHANNEL: &str = "chan-slack00000000";
/// The channel of the stub that AWS declined.
pub const DECLINED_CHANNEL: &str = "chan-declined00000";
/// The engagement invitation of the stub that its receiver rejected; all others are pending.
pub const REJECTED_INVITATION: &str = "engi-rejected00000";

/// A stub of the collaboration service for the notification service: channels and engagement invitations of any id,
/// unless it contains `unknown`.
#[derive(Clone, Debug)]
struct CollaborationStub;

/// Starts a stub that answers `GetChannel`, `GetChannelInvitation` and `GetEngagementInvitationForAccount` of
/// authenticated callers. Returns its address; it runs until the end of the test.
pub async fn channels() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tonic::transport::Server::builder()
        .add_service(ChannelServiceServer::new(CollaborationStub))
        .add_service(CollaborationInternalServiceServer::new(CollaborationStub));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

/// The message of a request that carries a token.
fn authenticated<M>(request: Request<M>) -> Result<M, Status> {
    if !request.metadata().contains_key("authorization") {
        return Err(Status::unauthenticated("the caller has no token"));
    }
    Ok(request.into_inner())
}

/// The id, unless there is no record with it.
fn find(id: String) -> Result<String, Status> {
    if id.contains("unknown") {
        Err(Status::new(Code::NotFound, "stub error"))
    } else {
        Ok(id)
    }
}

fn channel(channel_id: String) -> pb::Channel {
    let provider = if channel_id == SLACK_CHANNEL {
        pb::ChannelProvider::Slack
    } else {
        pb::ChannelProvider::Manual
    };
    let decline_text = if channel_id == DECLINED_CHANNEL {
        "Too early"
    } else {
        ""
    };
    pb::Channel {
        provider: provider.into(),
        decline_text: decline_text.to_owned(),
        purpose: "Agree on the proposal".to_owned(),
        link: CHANNEL_LINK.to_owned(),
        channel_id,
        ..Default::default()
    }
}

/// The content of a pending invitation, or the reason of a rejected one, whose content is deleted.
fn invitation(engagement_invitation_id: String) -> pb::EngagementInvitation {
    if engagement_invitation_id == REJECTED_INVITATION {
        return pb::EngagementInvitation {
            engagement_invitation_id,
            rejection_reason: RejectionReason::NextStepsUnclear.into(),
            rejection_text: "Please call us first".to_owned(),
            ..Default::default()
        };
    }
    let shared = pb::OpportunityInvitation {
        sender_contacts: vec![Contact {
            first_name: "Ada".to_owned(),
            last_name: "Lovelace".to_owned(),
            business_title: "AllianceLead".to_owned(),
            email: "ada@alder.example".to_owned(),
            ..Default::default()
        }],
        customer: Some(pb::EngagementCustomer {
            company_name: "Shared Customer".to_owned(),
            ..Default::default()
        }),
        project: Some(pb::OpportunityInvitationProject {
            title: "Shared project".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    pb::EngagementInvitation {
        engagement_invitation_id,
        sender_company_name: "Alder".to_owned(),
        message: "Let us win this together".to_owned(),
        payload: Some(Payload::OpportunityInvitation(shared)),
        ..Default::default()
    }
}

#[tonic::async_trait]
impl CollaborationInternalService for CollaborationStub {
    async fn get_channel_invitation(
        &self,
        request: Request<pb::GetChannelInvitationRequest>,
    ) -> Result<Response<pb::GetChannelInvitationResponse>, Status> {
        let channel = channel(find(authenticated(request)?.channel_id)?);
        let link = |url: &str| match channel.provider() {
            pb::ChannelProvider::Manual => url.to_owned(),
            _ => String::new(),
        };
        Ok(Response::new(pb::GetChannelInvitationResponse {
            leave_url: link(LEAVE_URL),
            opt_out_url: link(OPT_OUT_URL),
            channel: Some(channel),
        }))
    }

    async fn get_engagement_invitation_for_account(
        &self,
        request: Request<pb::GetEngagementInvitationForAccountRequest>,
    ) -> Result<Response<pb::GetEngagementInvitationForAccountResponse>, Status> {
        let id = find(authenticated(request)?.engagement_invitation_id)?;
        Ok(Response::new(pb::GetEngagementInvitationForAccountResponse {
            engagement_invitation: Some(invitation(id)),
        }))
    }
}

macro_rules! unsupported_rpcs {
    (others { $($rpc:ident($request:ident) -> $response:ident;)+ }) => {
        #[tonic::async_trait]
        impl ChannelService for CollaborationStub {
            async fn get_channel(
                &self,
                request: Request<pb::GetChannelRequest>,
            ) -> Result<Response<pb::GetChannelResponse>, Status> {
                let channel = channel(find(authenticated(request)?.channel_id)?);
                Ok(Response::new(pb::GetChannelResponse {
                    channel: Some(channel),
                }))
            }

            $(
                async fn $rpc(&self, _: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                    Err(Status::unimplemented("not supported by the stub"))
                }
            )+
        }
    };
}

unsupported_rpcs! {
    others {
        request_channel(RequestChannelRequest) -> RequestChannelResponse;
        list_channels(ListChannelsRequest) -> ListChannelsResponse;
        approve_channel(ApproveChannelRequest) -> ApproveChannelResponse;
        decline_channel(DeclineChannelRequest) -> DeclineChannelResponse;
        add_channel_members(AddChannelMembersRequest) -> AddChannelMembersResponse;
        join_channel(JoinChannelRequest) -> JoinChannelResponse;
        leave_channel(LeaveChannelRequest) -> LeaveChannelResponse;
        archive_channel(ArchiveChannelRequest) -> ArchiveChannelResponse;
        get_channel_preferences(GetChannelPreferencesRequest) -> GetChannelPreferencesResponse;
        update_channel_preferences(UpdateChannelPreferencesRequest) -> UpdateChannelPreferencesResponse;
    }
}
