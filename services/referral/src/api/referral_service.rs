//! The RPCs of `ReferralService`: what access each needs, and its file.

use cosell_grpc::{read, write};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral_service_server::ReferralService;
use tonic::Request;

use super::{Answer, Api, accept, accept_many, create, get, get_offer, list, list_offers, permit, reject};
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

    async fn accept_referral(
        &self,
        request: Request<pb::AcceptReferralRequest>,
    ) -> Answer<pb::AcceptReferralResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            accept::handle(api.clone(), call)
        })
        .await
    }

    async fn accept_referrals(
        &self,
        request: Request<pb::AcceptReferralsRequest>,
    ) -> Answer<pb::AcceptReferralsResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            accept_many::handle(api.clone(), call)
        })
        .await
    }

    async fn reject_referral(
        &self,
        request: Request<pb::RejectReferralRequest>,
    ) -> Answer<pb::RejectReferralResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            reject::handle(api.clone(), call)
        })
        .await
    }
}
