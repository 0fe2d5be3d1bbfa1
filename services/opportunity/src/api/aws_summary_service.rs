//! The RPCs of `AwsSummaryService`: the access that each requires, and its handler.

use cosell_grpc::{read, write_record};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::aws_summary_service_server::AwsSummaryService;
use tonic::Request;

use super::{Api, RpcResult, get_aws_opportunity_summary, update_aws_opportunity_summary};
use crate::domain::access::Action;
use crate::status::SUMMARY;

#[tonic::async_trait]
impl AwsSummaryService for Api {
    async fn get_aws_opportunity_summary(
        &self,
        request: Request<pb::GetAwsOpportunitySummaryRequest>,
    ) -> RpcResult<pb::GetAwsOpportunitySummaryResponse> {
        read(request, self.permit_crm_or(Action::GetAwsSummary), |call| {
            get_aws_opportunity_summary::handle(self, call)
        })
        .await
    }

    async fn update_aws_opportunity_summary(
        &self,
        request: Request<pb::UpdateAwsOpportunitySummaryRequest>,
    ) -> RpcResult<pb::UpdateAwsOpportunitySummaryResponse> {
        let api = self.clone();
        let handle = move |call| update_aws_opportunity_summary::handle(api.clone(), call);
        let permit = self.permit_crm_or(Action::UpdateAwsSummary);
        write_record(request, permit, SUMMARY, handle).await
    }
}
