use std::fmt;

use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral_internal_service_server::{
    ReferralInternalService, ReferralInternalServiceServer,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status};

/// A record that the stub returns to the account that sees it.
#[expect(missing_docs, reason = "each variant is named after its record")]
#[derive(Clone, Debug)]
pub enum ReferralRecord {
    Offer(Box<pb::ReferralOffer>),
    Referral(Box<pb::Referral>),
    Lead(Box<pb::Lead>),
}

/// A stub of the referral service for its peers: an accepted opportunity, the details of a lead, and records by account
/// and id.
struct ReferralStub<F>(pb::GetAcceptedOpportunityResponse, pb::LeadDetails, F);

impl<F> fmt::Debug for ReferralStub<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReferralStub")
    }
}

/// Starts a stub that answers `GetAcceptedOpportunity` and `GetConvertedLead` of authenticated callers, and finds no
/// record of an account. Returns its address; it runs until the end of the test.
pub async fn referrals(accepted: pb::GetAcceptedOpportunityResponse, lead: pb::LeadDetails) -> String {
    serve(ReferralStub(accepted, lead, |_: &str, _: &str| {
        Err(Code::NotFound)
    }))
    .await
}

/// Starts a stub that answers `GetReferralOfferForAccount`, `GetReferralForAccount` and `GetLeadForAccount` of
/// authenticated callers with the result of `record` for account and id. Returns its address; it runs until the end of
/// the test.
pub async fn referral_records<F>(record: F) -> String
where
    F: Fn(&str, &str) -> Result<ReferralRecord, Code> + Send + Sync + 'static,
{
    serve(ReferralStub(Default::default(), Default::default(), record)).await
}

async fn serve<F>(stub: ReferralStub<F>) -> String
where
    F: Fn(&str, &str) -> Result<ReferralRecord, Code> + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let service = ReferralInternalServiceServer::new(stub);
    let server = tonic::transport::Server::builder().add_service(service);
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

impl<F: Fn(&str, &str) -> Result<ReferralRecord, Code>> ReferralStub<F> {
    fn find(&self, account: &str, id: &str) -> Result<ReferralRecord, Status> {
        (self.2)(account, id).map_err(|code| Status::new(code, "stub error"))
    }
}

#[tonic::async_trait]
impl<F> ReferralInternalService for ReferralStub<F>
where
    F: Fn(&str, &str) -> Result<ReferralRecord, Code> + Send + Sync + 'static,
{
    async fn get_accepted_opportunity(
        &self,
        request: Request<pb::GetAcceptedOpportunityRequest>,
    ) -> Result<Response<pb::GetAcceptedOpportunityResponse>, Status> {
        authenticated(request)?;
        Ok(Response::new(self.0.clone()))
    }

    async fn get_converted_lead(
        &self,
        request: Request<pb::GetConvertedLeadRequest>,
    ) -> Result<Response<pb::GetConvertedLeadResponse>, Status> {
        authenticated(request)?;
        let details = Some(self.1.clone());
        Ok(Response::new(pb::GetConvertedLeadResponse { details }))
    }

    async fn get_referral_offer_for_account(
        &self,
        request: Request<pb::GetReferralOfferForAccountRequest>,
    ) -> Result<Response<pb::GetReferralOfferForAccountResponse>, Status> {
        let request = authenticated(request)?;
        match self.find(&request.account_id, &request.referral_offer_id)? {
            ReferralRecord::Offer(offer) => Ok(Response::new(pb::GetReferralOfferForAccountResponse {
                referral_offer: Some(*offer),
            })),
            _ => Err(Status::new(Code::NotFound, "not an offer")),
        }
    }

    async fn get_referral_for_account(
        &self,
        request: Request<pb::GetReferralForAccountRequest>,
    ) -> Result<Response<pb::GetReferralForAccountResponse>, Status> {
        let request = authenticated(request)?;
        match self.find(&request.account_id, &request.referral_id)? {
            ReferralRecord::Referral(referral) => Ok(Response::new(pb::GetReferralForAccountResponse {
                referral: Some(*referral),
            })),
            _ => Err(Status::new(Code::NotFound, "not a referral")),
        }
    }

    async fn get_lead_for_account(
        &self,
        request: Request<pb::GetLeadForAccountRequest>,
    ) -> Result<Response<pb::GetLeadForAccountResponse>, Status> {
        let request = authenticated(request)?;
        match self.find(&request.account_id, &request.lead_id)? {
            ReferralRecord::Lead(lead) => {
                Ok(Response::new(pb::GetLeadForAccountResponse { lead: Some(*lead) }))
            }
            _ => Err(Status::new(Code::NotFound, "not a lead")),
        }
    }
}
