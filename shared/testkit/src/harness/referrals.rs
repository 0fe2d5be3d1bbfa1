use std::fmt;

use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral_service_server::{ReferralService, ReferralServiceServer};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// Stands in for the referral service where the opportunity service asks it what was accepted.
struct StandIn(pb::GetAcceptedOpportunityResponse);

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StandIn")
    }
}

/// Answers `GetAcceptedOpportunity` with this, to whoever has a token. Returns the address, at which it listens as long as
/// the test runs.
pub async fn referrals(deal: pb::GetAcceptedOpportunityResponse) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tonic::transport::Server::builder().add_service(ReferralServiceServer::new(StandIn(deal)));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

macro_rules! stand_in {
    (others { $($rpc:ident($request:ident) -> $response:ident;)+ }) => {
        #[tonic::async_trait]
        impl ReferralService for StandIn {
            async fn get_accepted_opportunity(
                &self,
                request: Request<pb::GetAcceptedOpportunityRequest>,
            ) -> Result<Response<pb::GetAcceptedOpportunityResponse>, Status> {
                if !request.metadata().contains_key("authorization") {
                    return Err(Status::unauthenticated("a service has a token"));
                }
                Ok(Response::new(self.0.clone()))
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
        create_referral(CreateReferralRequest) -> CreateReferralResponse;
        get_referral(GetReferralRequest) -> GetReferralResponse;
        list_referrals(ListReferralsRequest) -> ListReferralsResponse;
        get_referral_offer(GetReferralOfferRequest) -> GetReferralOfferResponse;
        list_referral_offers(ListReferralOffersRequest) -> ListReferralOffersResponse;
        accept_referral(AcceptReferralRequest) -> AcceptReferralResponse;
        accept_referrals(AcceptReferralsRequest) -> AcceptReferralsResponse;
        reject_referral(RejectReferralRequest) -> RejectReferralResponse;
    }
}
