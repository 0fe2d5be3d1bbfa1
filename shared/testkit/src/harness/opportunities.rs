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

/// Stands in for the opportunity service where another one asks it for a revision of a record, or for its AWS summary.
struct StandIn<F>(Arc<F>, Arc<Mutex<pb::AwsOpportunitySummary>>);

impl<F> Clone for StandIn<F> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), self.1.clone())
    }
}

impl<F> fmt::Debug for StandIn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StandIn")
    }
}

/// Answers `GetOpportunity` with the record that a function makes of the id and the revision, to whoever has a token, and
/// `CheckReferredOpportunity`; `GetOpportunityForAccount` as revision 0.
/// Returns the address, at which it listens as long as the test runs.
pub async fn opportunities<F>(record: F) -> String
where
    F: Fn(&str, i64) -> Result<pb::Opportunity, Code> + Send + Sync + 'static,
{
    opportunities_with_summary(record, Arc::default()).await
}

/// The same, with this AWS summary of every record.
pub async fn opportunities_with_summary<F>(
    record: F,
    summary: Arc<Mutex<pb::AwsOpportunitySummary>>,
) -> String
where
    F: Fn(&str, i64) -> Result<pb::Opportunity, Code> + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let stand_in = StandIn(Arc::new(record), summary);
    let server = tonic::transport::Server::builder()
        .add_service(OpportunityServiceServer::new(stand_in.clone()))
        .add_service(OpportunityInternalServiceServer::new(stand_in));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

impl<F: Fn(&str, i64) -> Result<pb::Opportunity, Code>> StandIn<F> {
    fn answer(
        &self,
        request: Request<pb::GetOpportunityRequest>,
    ) -> Result<Response<pb::GetOpportunityResponse>, Status> {
        if !request.metadata().contains_key("authorization") {
            return Err(Status::unauthenticated("a service has a token"));
        }
        let pb::GetOpportunityRequest {
            opportunity_id,
            as_of,
        } = request.into_inner();
        let Some(AsOf::Revision(revision)) = as_of else {
            return Err(Status::unknown("a service asks for a revision"));
        };
        let record =
            (self.0)(&opportunity_id, revision).map_err(|code| Status::new(code, "as the test wants"))?;
        let opportunity = Some(record);
        Ok(Response::new(pb::GetOpportunityResponse { opportunity }))
    }

    /// The record as it is now, which the function is asked for as revision 0; of the account that it names.
    fn for_account(
        &self,
        request: Request<pb::GetOpportunityForAccountRequest>,
    ) -> Result<Response<pb::GetOpportunityForAccountResponse>, Status> {
        if !request.metadata().contains_key("authorization") {
            return Err(Status::unauthenticated("a service has a token"));
        }
        let asked = request.into_inner();
        let record =
            (self.0)(&asked.opportunity_id, 0).map_err(|code| Status::new(code, "as the test wants"))?;
        if record.account_id != asked.account_id {
            return Err(Status::new(Code::NotFound, "of another account"));
        }
        let aws_summary = pb::AwsOpportunitySummary {
            related_opportunity_id: asked.opportunity_id,
            revision: 1,
            cosell_motion: "Partner-led".to_owned(),
            ..self.1.lock().expect("the summary").clone()
        };
        Ok(Response::new(pb::GetOpportunityForAccountResponse {
            opportunity: Some(record),
            aws_opportunity_summary: Some(aws_summary),
        }))
    }

    /// A deal may be offered that has a title.
    fn check(
        request: Request<pb::CheckReferredOpportunityRequest>,
    ) -> Result<Response<pb::CheckReferredOpportunityResponse>, Status> {
        if !request.metadata().contains_key("authorization") {
            return Err(Status::unauthenticated("a service has a token"));
        }
        let deal = request.into_inner().opportunity.unwrap_or_default();
        let has_title = deal.project.is_some_and(|project| !project.title.is_empty());
        let problem = pb::FieldProblem {
            field: Some(InvalidField {
                field: "opportunity.project.title".to_owned(),
                code: "REQUIRED_FIELD_MISSING".to_owned(),
                ..Default::default()
            }),
            description: "is required".to_owned(),
        };
        let problems = if has_title { Vec::new() } else { vec![problem] };
        Ok(Response::new(pb::CheckReferredOpportunityResponse {
            violations: problems,
        }))
    }
}

#[tonic::async_trait]
impl<F> OpportunityInternalService for StandIn<F>
where
    F: Fn(&str, i64) -> Result<pb::Opportunity, Code> + Send + Sync + 'static,
{
    async fn check_referred_opportunity(
        &self,
        request: Request<pb::CheckReferredOpportunityRequest>,
    ) -> Result<Response<pb::CheckReferredOpportunityResponse>, Status> {
        Self::check(request)
    }

    async fn get_opportunity_for_account(
        &self,
        request: Request<pb::GetOpportunityForAccountRequest>,
    ) -> Result<Response<pb::GetOpportunityForAccountResponse>, Status> {
        self.for_account(request)
    }
}

macro_rules! stand_in {
    (others { $($rpc:ident($request:ident) -> $response:ident;)+ }) => {
        #[tonic::async_trait]
        impl<F> OpportunityService for StandIn<F>
        where
            F: Fn(&str, i64) -> Result<pb::Opportunity, Code> + Send + Sync + 'static,
        {
            async fn get_opportunity(
                &self,
                request: Request<pb::GetOpportunityRequest>,
            ) -> Result<Response<pb::GetOpportunityResponse>, Status> {
                self.answer(request)
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
