use std::fmt;

use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::channel_service_server::{ChannelService, ChannelServiceServer};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// The link of the stub's channel.
pub const CHANNEL_LINK: &str = "https://chat.example/nordwind";

/// A stub of the collaboration service for the notification service: the link of a channel.
struct ChannelStub;

impl fmt::Debug for ChannelStub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChannelStub")
    }
}

/// Starts a stub that answers `GetChannel` of authenticated callers with a manually managed channel. Returns its
/// address; it runs until the end of the test.
pub async fn channels() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tonic::transport::Server::builder().add_service(ChannelServiceServer::new(ChannelStub));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

macro_rules! unsupported_rpcs {
    (others { $($rpc:ident($request:ident) -> $response:ident;)+ }) => {
        #[tonic::async_trait]
        impl ChannelService for ChannelStub {
            async fn get_channel(
                &self,
                request: Request<pb::GetChannelRequest>,
            ) -> Result<Response<pb::GetChannelResponse>, Status> {
                if !request.metadata().contains_key("authorization") {
                    return Err(Status::unauthenticated("the caller has no token"));
                }
                let channel = pb::Channel {
                    channel_id: request.into_inner().channel_id,
                    provider: pb::ChannelProvider::Manual.into(),
                    link: CHANNEL_LINK.to_owned(),
                    ..Default::default()
                };
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
