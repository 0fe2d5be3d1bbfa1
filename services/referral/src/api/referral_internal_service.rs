//! The RPCs of `ReferralInternalService`: the access that each requires, and its handler.

use cosell_grpc::read;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral_internal_service_server::ReferralInternalService;
use tonic::Request;

use super::{
    Api, RpcResult, get_accepted_opportunity, get_converted_lead, get_lead_for_account,
    get_referral_for_account, get_referral_offer_for_account, permit,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl ReferralInternalService for Api {
    async fn get_accepted_opportunity(
        &self,
        request: Request<pb::GetAcceptedOpportunityRequest>,
    ) -> RpcResult<pb::GetAcceptedOpportunityResponse> {
        read(request, permit(Action::ReadContent), |call| {
            get_accepted_opportunity::handle(self, call)
        })
        .await
    }

    async fn get_converted_lead(
        &self,
        request: Request<pb::GetConvertedLeadRequest>,
    ) -> RpcResult<pb::GetConvertedLeadResponse> {
        read(request, permit(Action::ReadContent), |call| {
            get_converted_lead::handle(self, call)
        })
        .await
    }

    async fn get_referral_offer_for_account(
        &self,
        request: Request<pb::GetReferralOfferForAccountRequest>,
    ) -> RpcResult<pb::GetReferralOfferForAccountResponse> {
        read(request, permit(Action::ReadForAccount), |call| {
            get_referral_offer_for_account::handle(self, call)
        })
        .await
    }

    async fn get_referral_for_account(
        &self,
        request: Request<pb::GetReferralForAccountRequest>,
    ) -> RpcResult<pb::GetReferralForAccountResponse> {
        read(request, permit(Action::ReadForAccount), |call| {
            get_referral_for_account::handle(self, call)
        })
        .await
    }

    async fn get_lead_for_account(
        &self,
        request: Request<pb::GetLeadForAccountRequest>,
    ) -> RpcResult<pb::GetLeadForAccountResponse> {
        read(request, permit(Action::ReadForAccount), |call| {
            get_lead_for_account::handle(self, call)
        })
        .await
    }
}
