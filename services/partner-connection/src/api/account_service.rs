//! The RPCs of `AccountService`: the permission that each requires, and its handler.

use cosell_grpc::{ResponseStream, read, stream, write};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::account_service_server::AccountService;
use cosell_types::Caller;
use tonic::{Request, Streaming};

use super::{
    Api, RpcResult, accept_terms, apply_directory, get_account, get_partner, list_partners, permit,
    set_profile_visibility, update_profile,
};
use crate::domain::access::{self, Action};

#[tonic::async_trait]
impl AccountService for Api {
    type ApplyDirectoryStream = ResponseStream<pb::ApplyDirectoryResponse>;

    async fn get_account(
        &self,
        request: Request<pb::GetAccountRequest>,
    ) -> RpcResult<pb::GetAccountResponse> {
        read(request, permit(Action::GetAccount), |call| {
            get_account::handle(self, call)
        })
        .await
    }

    async fn accept_terms(
        &self,
        request: Request<pb::AcceptTermsRequest>,
    ) -> RpcResult<pb::AcceptTermsResponse> {
        let api = self.clone();
        write(request, permit(Action::ActAsAllianceLead), move |call| {
            accept_terms::handle(api.clone(), call)
        })
        .await
    }

    async fn update_profile(
        &self,
        request: Request<pb::UpdateProfileRequest>,
    ) -> RpcResult<pb::UpdateProfileResponse> {
        let api = self.clone();
        write(request, permit(Action::RepresentAccount), move |call| {
            update_profile::handle(api.clone(), call)
        })
        .await
    }

    async fn set_profile_visibility(
        &self,
        request: Request<pb::SetProfileVisibilityRequest>,
    ) -> RpcResult<pb::SetProfileVisibilityResponse> {
        let api = self.clone();
        write(request, permit(Action::RepresentAccount), move |call| {
            set_profile_visibility::handle(api.clone(), call)
        })
        .await
    }

    async fn get_partner(
        &self,
        request: Request<pb::GetPartnerRequest>,
    ) -> RpcResult<pb::GetPartnerResponse> {
        read(request, permit(Action::SearchPartners), |call| {
            get_partner::handle(self, call)
        })
        .await
    }

    async fn list_partners(
        &self,
        request: Request<pb::ListPartnersRequest>,
    ) -> RpcResult<pb::ListPartnersResponse> {
        read(request, permit(Action::SearchPartners), |call| {
            list_partners::handle(self, call)
        })
        .await
    }

    async fn apply_directory(
        &self,
        request: Request<Streaming<pb::ApplyDirectoryRequest>>,
    ) -> RpcResult<Self::ApplyDirectoryStream> {
        let permit = |caller: &Caller| access::may_provision(caller, &self.provisioners);
        stream(request, permit, |call| {
            apply_directory::handle(self.clone(), call)
        })
    }
}
