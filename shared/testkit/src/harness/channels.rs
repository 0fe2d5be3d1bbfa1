use std::fmt;

use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::channel_service_server::{ChannelService, ChannelServiceServer};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// Where the channel is that the stand-in knows.
pub const CHANNEL_LINK: &str = "https://chat.example/nordwind";

/// Stands in for the collaboration service where the notification service asks it where a channel is.
struct StandIn;

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StandIn")
    }
}

/// Answers `GetChannel` with a channel that is kept by hand, to whoever has a token. Returns the address, at which it listens as
/// long as the test runs.
pub async fn channels() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tonic::transport::Server::builder().add_service(ChannelServiceServer::new(StandIn));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

macro_rules! stand_in {
    (others { $($rpc:ident($request:ident) -> $response:ident;)+ }) => {
        #[tonic::async_trait]
        impl ChannelService for StandIn {
            async fn get_channel(
                &self,
                request: Request<pb::GetChannelRequest>,
            ) -> Result<Response<pb::GetChannelResponse>, Status> {
                if !request.metadata().contains_key("authorization") {
                    return Err(Status::unauthenticated("a service has a token"));
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
                    Err(Status::unimplemented("no service asks another for this"))
                }
            )+
        }
    };
}

stand_in! {
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
