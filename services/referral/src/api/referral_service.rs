//! The RPCs of `ReferralService`: the access that each requires, and its handler.

use cosell_grpc::{read, write};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral_service_server::ReferralService;
use tonic::Request;

use super::{
    Api, RpcResult, accept_referral_offer, batch_accept_referral_offers, create_referral, get_referral,
    get_referral_offer, list_referral_offers, list_referrals, permit, reject_referral_offer,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl ReferralService for Api {
    async fn create_referral(
        &self,
        request: Request<pb::CreateReferralRequest>,
    ) -> RpcResult<pb::CreateReferralResponse> {
        let api = self.clone();
        write(request, permit(Action::Refer), move |call| {
            create_referral::handle(api.clone(), call)
        })
        .await
    }

    async fn get_referral(
        &self,
        request: Request<pb::GetReferralRequest>,
    ) -> RpcResult<pb::GetReferralResponse> {
        read(request, permit(Action::Refer), |call| {
            get_referral::handle(self, call)
        })
        .await
    }

    async fn list_referrals(
        &self,
        request: Request<pb::ListReferralsRequest>,
    ) -> RpcResult<pb::ListReferralsResponse> {
        read(request, permit(Action::Refer), |call| {
            list_referrals::handle(self, call)
        })
        .await
    }

    async fn get_referral_offer(
        &self,
        request: Request<pb::GetReferralOfferRequest>,
    ) -> RpcResult<pb::GetReferralOfferResponse> {
        read(request, permit(Action::Answer), |call| {
            get_referral_offer::handle(self, call)
        })
        .await
    }

    async fn list_referral_offers(
        &self,
        request: Request<pb::ListReferralOffersRequest>,
    ) -> RpcResult<pb::ListReferralOffersResponse> {
        read(request, permit(Action::Answer), |call| {
            list_referral_offers::handle(self, call)
        })
        .await
    }

    async fn accept_referral_offer(
        &self,
        request: Request<pb::AcceptReferralOfferRequest>,
    ) -> RpcResult<pb::AcceptReferralOfferResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            accept_referral_offer::handle(api.clone(), call)
        })
        .await
    }

    async fn batch_accept_referral_offers(
        &self,
        request: Request<pb::BatchAcceptReferralOffersRequest>,
    ) -> RpcResult<pb::BatchAcceptReferralOffersResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            batch_accept_referral_offers::handle(api.clone(), call)
        })
        .await
    }

    async fn reject_referral_offer(
        &self,
        request: Request<pb::RejectReferralOfferRequest>,
    ) -> RpcResult<pb::RejectReferralOfferResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            reject_referral_offer::handle(api.clone(), call)
        })
        .await
    }
}
