//! The RPCs of `ReferralService`: what access each needs, and its file.

use cosell_grpc::{read, write};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral_service_server::ReferralService;
use tonic::Request;

use super::{
    Answer, Api, accept_referral_offer, batch_accept_referral_offers, create, get, get_offer, list,
    list_offers, permit, reject_referral_offer,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl ReferralService for Api {
    async fn create_referral(
        &self,
        request: Request<pb::CreateReferralRequest>,
    ) -> Answer<pb::CreateReferralResponse> {
        let api = self.clone();
        write(request, permit(Action::Refer), move |call| {
            create::handle(api.clone(), call)
        })
        .await
    }

    async fn get_referral(
        &self,
        request: Request<pb::GetReferralRequest>,
    ) -> Answer<pb::GetReferralResponse> {
        read(request, permit(Action::Refer), |call| get::handle(self, call)).await
    }

    async fn list_referrals(
        &self,
        request: Request<pb::ListReferralsRequest>,
    ) -> Answer<pb::ListReferralsResponse> {
        read(request, permit(Action::Refer), |call| list::handle(self, call)).await
    }

    async fn get_referral_offer(
        &self,
        request: Request<pb::GetReferralOfferRequest>,
    ) -> Answer<pb::GetReferralOfferResponse> {
        read(request, permit(Action::Answer), |call| {
            get_offer::handle(self, call)
        })
        .await
    }

    async fn list_referral_offers(
        &self,
        request: Request<pb::ListReferralOffersRequest>,
    ) -> Answer<pb::ListReferralOffersResponse> {
        read(request, permit(Action::Answer), |call| {
            list_offers::handle(self, call)
        })
        .await
    }

    async fn accept_referral_offer(
        &self,
        request: Request<pb::AcceptReferralOfferRequest>,
    ) -> Answer<pb::AcceptReferralOfferResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            accept_referral_offer::handle(api.clone(), call)
        })
        .await
    }

    async fn batch_accept_referral_offers(
        &self,
        request: Request<pb::BatchAcceptReferralOffersRequest>,
    ) -> Answer<pb::BatchAcceptReferralOffersResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            batch_accept_referral_offers::handle(api.clone(), call)
        })
        .await
    }

    async fn reject_referral_offer(
        &self,
        request: Request<pb::RejectReferralOfferRequest>,
    ) -> Answer<pb::RejectReferralOfferResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            reject_referral_offer::handle(api.clone(), call)
        })
        .await
    }
}
