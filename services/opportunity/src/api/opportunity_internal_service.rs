//! The RPCs of `OpportunityInternalService`: what access each needs, and its file.

use cosell_grpc::read;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::opportunity_internal_service_server::OpportunityInternalService;
use tonic::Request;

use super::{Answer, Api, check_referred, for_account, permit};
use crate::domain::access::Action;

#[tonic::async_trait]
impl OpportunityInternalService for Api {
    async fn get_opportunity_for_account(
        &self,
        request: Request<pb::GetOpportunityForAccountRequest>,
    ) -> Answer<pb::GetOpportunityForAccountResponse> {
        read(request, permit(Action::ForAccount), |call| {
            for_account::handle(self, call)
        })
        .await
    }

    async fn check_referred_opportunity(
        &self,
        request: Request<pb::CheckReferredOpportunityRequest>,
    ) -> Answer<pb::CheckReferredOpportunityResponse> {
        read(request, permit(Action::CheckReferred), |call| {
            check_referred::handle(self, call)
        })
        .await
    }
}
