use std::fmt;
use std::sync::{Arc, Mutex};

use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_proto::cosell::opportunity::v1::opportunity_internal_service_server::{
    OpportunityInternalService, OpportunityInternalServiceServer,
};
use cosell_proto::cosell::opportunity::v1::opportunity_service_server::{
    OpportunityService, OpportunityServiceServer,
};
use cosell_proto::cosell::r#type::v1::InvalidField;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status};

/// A stub of the opportunity service for its peers: opportunities by id and revision, and their AWS summary.
struct OpportunityStub<F>(Arc<F>, Arc<Mutex<pb::AwsOpportunitySummary>>);

impl<F> Clone for OpportunityStub<F> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), self.1.clone())
    }
}

impl<F> fmt::Debug for OpportunityStub<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpportunityStub")
    }
}

/// Starts a stub that answers `GetOpportunity` of authenticated callers with the result of `record` for id and
/// revision, `GetOpportunityForAccount` with that for revision 0, and `CheckReferredOpportunity`. Returns its address;
/// it runs until the end of the test.
pub async fn opportunities<F>(record: F) -> String
where
    F: Fn(&str, i64) -> Result<pb::Opportunity, Code> + Send + Sync + 'static,
{
    opportunities_with_summary(record, Arc::default()).await
}

/// As [`opportunities`], with this AWS summary for all opportunities.
pub async fn opportunities_with_summary<F>(
    record: F,
    summary: Arc<Mutex<pb::AwsOpportunitySummary>>,
) -> String
where
    F: Fn(&str, i64) -> Result<pb::Opportunity, Code> + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let stub = OpportunityStub(Arc::new(record), summary);
    let server = tonic::transport::Server::builder()
        .add_service(OpportunityServiceServer::new(stub.clone()))
        .add_service(OpportunityInternalServiceServer::new(stub));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

impl<F: Fn(&str, i64) -> Result<pb::Opportunity, Code>> OpportunityStub<F> {
    fn get_revision(
        &self,
        request: Request<pb::GetOpportunityRequest>,
    ) -> Result<Response<pb::GetOpportunityResponse>, Status> {
        if !request.metadata().contains_key("authorization") {
            return Err(Status::unauthenticated("the caller has no token"));
        }
        let pb::GetOpportunityRequest {
            opportunity_id,
            as_of,
        } = request.into_inner();
        let Some(AsOf::Revision(revision)) = as_of else {
            return Err(Status::unknown("the stub answers only requests for a revision"));
        };
        let record = (self.0)(&opportunity_id, revision).map_err(|code| Status::new(code, "stub error"))?;
        let opportunity = Some(record);
        Ok(Response::new(pb::GetOpportunityResponse { opportunity }))
    }

    /// The current opportunity (revision 0) of the account.
    fn get_for_account(
        &self,
        request: Request<pb::GetOpportunityForAccountRequest>,
    ) -> Result<Response<pb::GetOpportunityForAccountResponse>, Status> {
        if !request.metadata().contains_key("authorization") {
            return Err(Status::unauthenticated("the caller has no token"));
        }
        let request = request.into_inner();
        let record = (self.0)(&request.opportunity_id, 0).map_err(|code| Status::new(code, "stub error"))?;
        if record.account_id != request.account_id {
            return Err(Status::new(Code::NotFound, "not an opportunity of the account"));
        }
        let aws_summary = pb::AwsOpportunitySummary {
            related_opportunity_id: request.opportunity_id,
            revision: 1,
            cosell_motion: "Partner-led".to_owned(),
            ..self.1.lock().expect("the summary").clone()
        };
        Ok(Response::new(pb::GetOpportunityForAccountResponse {
            opportunity: Some(record),
            aws_opportunity_summary: Some(aws_summary),
        }))
    }

    /// Reports a violation unless the opportunity has a title. Returns it with the default opportunity type, as the
    /// record of an accepted offer has it.
    fn check_referred(
        request: Request<pb::CheckReferredOpportunityRequest>,
    ) -> Result<Response<pb::CheckReferredOpportunityResponse>, Status> {
        if !request.metadata().contains_key("authorization") {
            return Err(Status::unauthenticated("the caller has no token"));
        }
        let mut opportunity = request.into_inner().opportunity.unwrap_or_default();
        if opportunity.opportunity_type() == pb::OpportunityType::Unspecified {
            opportunity.set_opportunity_type(pb::OpportunityType::NetNewBusiness);
        }
        let project = opportunity.project.as_ref();
        let has_title = project.is_some_and(|project| !project.title.is_empty());
        let violation = pb::FieldProblem {
            field: Some(InvalidField {
                field: "opportunity.project.title".to_owned(),
                code: "REQUIRED_FIELD_MISSING".to_owned(),
                ..Default::default()
            }),
            description: "Is required.".to_owned(),
        };
        let violations = if has_title { Vec::new() } else { vec![violation] };
        Ok(Response::new(pb::CheckReferredOpportunityResponse {
            violations,
            opportunity: Some(opportunity),
        }))
    }
}

#[tonic::async_trait]
impl<F> OpportunityInternalService for OpportunityStub<F>
where
    F: Fn(&str, i64) -> Result<pb::Opportunity, Code> + Send + Sync + 'static,
{
    async fn check_referred_opportunity(
        &self,
        request: Request<pb::CheckReferredOpportunityRequest>,
    ) -> Result<Response<pb::CheckReferredOpportunityResponse>, Status> {
        Self::check_referred(request)
    }

    async fn get_opportunity_for_account(
        &self,
        request: Request<pb::GetOpportunityForAccountRequest>,
    ) -> Result<Response<pb::GetOpportunityForAccountResponse>, Status> {
        self.get_for_account(request)
    }
}

macro_rules! unsupported_rpcs {
    (others { $($rpc:ident($request:ident) -> $response:ident;)+ }) => {
        #[tonic::async_trait]
        impl<F> OpportunityService for OpportunityStub<F>
        where
            F: Fn(&str, i64) -> Result<pb::Opportunity, Code> + Send + Sync + 'static,
        {
            async fn get_opportunity(
                &self,
                request: Request<pb::GetOpportunityRequest>,
            ) -> Result<Response<pb::GetOpportunityResponse>, Status> {
                self.get_revision(request)
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
        create_opportunity(CreateOpportunityRequest) -> CreateOpportunityResponse;
        list_opportunities(ListOpportunitiesRequest) -> ListOpportunitiesResponse;
        update_opportunity(UpdateOpportunityRequest) -> UpdateOpportunityResponse;
        get_allowed_actions(GetAllowedActionsRequest) -> GetAllowedActionsResponse;
        associate_entity(AssociateEntityRequest) -> AssociateEntityResponse;
        disassociate_entity(DisassociateEntityRequest) -> DisassociateEntityResponse;
        count_opportunities(CountOpportunitiesRequest) -> CountOpportunitiesResponse;
        tag_opportunity(TagOpportunityRequest) -> TagOpportunityResponse;
        untag_opportunity(UntagOpportunityRequest) -> UntagOpportunityResponse;
        flag_opportunity(FlagOpportunityRequest) -> FlagOpportunityResponse;
    }
}
