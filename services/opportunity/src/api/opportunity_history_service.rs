//! The RPCs of `OpportunityHistoryService`: the access that each requires, and its handler.

use cosell_grpc::read;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::opportunity_history_service_server::OpportunityHistoryService;
use tonic::Request;

use super::{Api, RpcResult, diff_revisions, list_revisions, permit};
use crate::domain::access::Action;

#[tonic::async_trait]
impl OpportunityHistoryService for Api {
    async fn list_revisions(
        &self,
        request: Request<pb::ListRevisionsRequest>,
    ) -> RpcResult<pb::ListRevisionsResponse> {
        read(request, permit(Action::Revisions), |call| {
            list_revisions::handle(self, call)
        })
        .await
    }

    async fn diff_revisions(
        &self,
        request: Request<pb::DiffRevisionsRequest>,
    ) -> RpcResult<pb::DiffRevisionsResponse> {
        read(request, permit(Action::Diff), |call| {
            diff_revisions::handle(self, call)
        })
        .await
    }
}
