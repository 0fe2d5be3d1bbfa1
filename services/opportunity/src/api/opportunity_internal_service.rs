//! The RPCs of `OpportunityInternalService`: the access that each requires, and its handler.

use cosell_grpc::read;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::opportunity_internal_service_server::OpportunityInternalService;
use tonic::Request;

use super::{Api, RpcResult, check_referred_opportunity, get_opportunity_for_account, permit};
use crate::domain::access::Action;

#[tonic::async_trait]
impl OpportunityInternalService for Api {
    async fn get_opportunity_for_account(
        &self,
        request: Request<pb::GetOpportunityForAccountRequest>,
    ) -> RpcResult<pb::GetOpportunityForAccountResponse> {
        read(request, permit(Action::ReadForAccount), |call| {
            get_opportunity_for_account::handle(self, call)
        })
        .await
    }

    async fn check_referred_opportunity(
        &self,
        request: Request<pb::CheckReferredOpportunityRequest>,
    ) -> RpcResult<pb::CheckReferredOpportunityResponse> {
        read(request, permit(Action::CheckReferred), |call| {
            check_referred_opportunity::handle(self, call)
        })
        .await
    }
}
