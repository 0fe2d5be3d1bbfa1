//! The RPCs of `AccountService`: what access each needs, and its file.

use cosell_grpc::{Answers, read, stream, write};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::account_service_server::AccountService;
use cosell_types::Caller;
use tonic::{Request, Streaming};

use super::{
    Answer, Api, accept_terms, apply_directory, get_account, get_partner, list_partners, permit,
    set_visibility, update_profile,
};
use crate::domain::access::{self, Action};

#[tonic::async_trait]
impl AccountService for Api {
    type ApplyDirectoryStream = Answers<pb::ApplyDirectoryResponse>;

    async fn get_account(&self, request: Request<pb::GetAccountRequest>) -> Answer<pb::GetAccountResponse> {
        read(request, permit(Action::GetAccount), |call| {
            get_account::handle(self, call)
        })
        .await
    }

    async fn accept_terms(
        &self,
        request: Request<pb::AcceptTermsRequest>,
    ) -> Answer<pb::AcceptTermsResponse> {
        let api = self.clone();
        write(request, permit(Action::Lead), move |call| {
            accept_terms::handle(api.clone(), call)
        })
        .await
    }

    async fn update_profile(
        &self,
        request: Request<pb::UpdateProfileRequest>,
    ) -> Answer<pb::UpdateProfileResponse> {
        let api = self.clone();
        write(request, permit(Action::Represent), move |call| {
            update_profile::handle(api.clone(), call)
        })
        .await
    }

    async fn set_profile_visibility(
        &self,
        request: Request<pb::SetProfileVisibilityRequest>,
    ) -> Answer<pb::SetProfileVisibilityResponse> {
        let api = self.clone();
        write(request, permit(Action::Represent), move |call| {
            set_visibility::handle(api.clone(), call)
        })
        .await
    }

    async fn get_partner(&self, request: Request<pb::GetPartnerRequest>) -> Answer<pb::GetPartnerResponse> {
        read(request, permit(Action::FindPartners), |call| {
            get_partner::handle(self, call)
        })
        .await
    }

    async fn list_partners(
        &self,
        request: Request<pb::ListPartnersRequest>,
    ) -> Answer<pb::ListPartnersResponse> {
        read(request, permit(Action::FindPartners), |call| {
            list_partners::handle(self, call)
        })
        .await
    }

    async fn apply_directory(
        &self,
        request: Request<Streaming<pb::ApplyDirectoryRequest>>,
    ) -> Answer<Self::ApplyDirectoryStream> {
        let provisions = |caller: &Caller| access::provisions(caller, &self.provisioners);
        stream(request, provisions, |call| {
            apply_directory::handle(self.clone(), call)
        })
    }
}
