use std::fmt;

use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral_internal_service_server::{
    ReferralInternalService, ReferralInternalServiceServer,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// Stands in for the referral service where the opportunity service asks it what was accepted, and what a lead says.
struct StandIn(pb::GetAcceptedOpportunityResponse, pb::LeadDetails);

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StandIn")
    }
}

/// Answers `GetAcceptedOpportunity` and `GetConvertedLead` with these, to whoever has a token. Returns the address,
/// at which it listens as long as the test runs.
pub async fn referrals(deal: pb::GetAcceptedOpportunityResponse, lead: pb::LeadDetails) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let service = ReferralInternalServiceServer::new(StandIn(deal, lead));
    let server = tonic::transport::Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

#[tonic::async_trait]
impl ReferralInternalService for StandIn {
    async fn get_accepted_opportunity(
        &self,
        request: Request<pb::GetAcceptedOpportunityRequest>,
    ) -> Result<Response<pb::GetAcceptedOpportunityResponse>, Status> {
        if !request.metadata().contains_key("authorization") {
            return Err(Status::unauthenticated("a service has a token"));
        }
        Ok(Response::new(self.0.clone()))
    }

    async fn get_converted_lead(
        &self,
        request: Request<pb::GetConvertedLeadRequest>,
    ) -> Result<Response<pb::GetConvertedLeadResponse>, Status> {
        if !request.metadata().contains_key("authorization") {
            return Err(Status::unauthenticated("a service has a token"));
        }
        let details = Some(self.1.clone());
        Ok(Response::new(pb::GetConvertedLeadResponse { details }))
    }
}
