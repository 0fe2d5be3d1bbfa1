use std::fmt;

use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral_internal_service_server::{
    ReferralInternalService, ReferralInternalServiceServer,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// A stub of the referral service for the opportunity service: an accepted opportunity and the details of a lead.
struct ReferralStub(pb::GetAcceptedOpportunityResponse, pb::LeadDetails);

impl fmt::Debug for ReferralStub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReferralStub")
    }
}

/// Starts a stub that answers `GetAcceptedOpportunity` and `GetConvertedLead` of authenticated callers. Returns its
/// address; it runs until the end of the test.
pub async fn referrals(accepted: pb::GetAcceptedOpportunityResponse, lead: pb::LeadDetails) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let service = ReferralInternalServiceServer::new(ReferralStub(accepted, lead));
    let server = tonic::transport::Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

#[tonic::async_trait]
impl ReferralInternalService for ReferralStub {
    async fn get_accepted_opportunity(
        &self,
        request: Request<pb::GetAcceptedOpportunityRequest>,
    ) -> Result<Response<pb::GetAcceptedOpportunityResponse>, Status> {
        if !request.metadata().contains_key("authorization") {
            return Err(Status::unauthenticated("the caller has no token"));
        }
        Ok(Response::new(self.0.clone()))
    }

    async fn get_converted_lead(
        &self,
        request: Request<pb::GetConvertedLeadRequest>,
    ) -> Result<Response<pb::GetConvertedLeadResponse>, Status> {
        if !request.metadata().contains_key("authorization") {
            return Err(Status::unauthenticated("the caller has no token"));
        }
        let details = Some(self.1.clone());
        Ok(Response::new(pb::GetConvertedLeadResponse { details }))
    }
}
