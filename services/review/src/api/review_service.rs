//! The RPCs of `ReviewService`: the access that each requires, and its handler.

use cosell_grpc::{read, write};
use cosell_proto::cosell::review::v1 as pb;
use cosell_proto::cosell::review::v1::review_service_server::ReviewService;
use tonic::Request;

use super::{
    Api, RpcResult, claim_review_case, decide_review, get_review_case, list_review_cases, permit,
    start_review,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl ReviewService for Api {
    async fn list_review_cases(
        &self,
        request: Request<pb::ListReviewCasesRequest>,
    ) -> RpcResult<pb::ListReviewCasesResponse> {
        read(request, permit(Action::List), |call| {
            list_review_cases::handle(self, call)
        })
        .await
    }

    async fn get_review_case(
        &self,
        request: Request<pb::GetReviewCaseRequest>,
    ) -> RpcResult<pb::GetReviewCaseResponse> {
        read(request, permit(Action::Get), |call| {
            get_review_case::handle(self, call)
        })
        .await
    }

    async fn claim_review_case(
        &self,
        request: Request<pb::ClaimReviewCaseRequest>,
    ) -> RpcResult<pb::ClaimReviewCaseResponse> {
        let api = self.clone();
        write(request, permit(Action::Claim), move |call| {
            claim_review_case::handle(api.clone(), call)
        })
        .await
    }

    async fn start_review(
        &self,
        request: Request<pb::StartReviewRequest>,
    ) -> RpcResult<pb::StartReviewResponse> {
        let api = self.clone();
        write(request, permit(Action::Start), move |call| {
            start_review::handle(api.clone(), call)
        })
        .await
    }

    async fn decide_review(
        &self,
        request: Request<pb::DecideReviewRequest>,
    ) -> RpcResult<pb::DecideReviewResponse> {
        let api = self.clone();
        write(request, permit(Action::Decide), move |call| {
            decide_review::handle(api.clone(), call)
        })
        .await
    }
}
