//! The RPCs of `ReferralInternalService`: what access each needs, and its file.

use cosell_grpc::read;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral_internal_service_server::ReferralInternalService;
use tonic::Request;

use super::{Answer, Api, get_accepted, get_converted, permit};
use crate::domain::access::Action;

#[tonic::async_trait]
impl ReferralInternalService for Api {
    async fn get_accepted_opportunity(
        &self,
        request: Request<pb::GetAcceptedOpportunityRequest>,
    ) -> Answer<pb::GetAcceptedOpportunityResponse> {
        read(request, permit(Action::ReadDeal), |call| {
            get_accepted::handle(self, call)
        })
        .await
    }

    async fn get_converted_lead(
        &self,
        request: Request<pb::GetConvertedLeadRequest>,
    ) -> Answer<pb::GetConvertedLeadResponse> {
        read(request, permit(Action::ReadDeal), |call| {
            get_converted::handle(self, call)
        })
        .await
    }
}
