//! The RPCs of `AwsSummaryService`: what access each needs, and its file.

use cosell_grpc::{read, write_with_rules};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::aws_summary_service_server::AwsSummaryService;
use tonic::Request;

use super::{Answer, Api, SUMMARY, get_aws_summary, update_aws_summary};
use crate::domain::access::Action;

#[tonic::async_trait]
impl AwsSummaryService for Api {
    async fn get_aws_opportunity_summary(
        &self,
        request: Request<pb::GetAwsOpportunitySummaryRequest>,
    ) -> Answer<pb::GetAwsOpportunitySummaryResponse> {
        read(request, self.permit_crm_or(Action::GetAwsSummary), |call| {
            get_aws_summary::handle(self, call)
        })
        .await
    }

    async fn update_aws_opportunity_summary(
        &self,
        request: Request<pb::UpdateAwsOpportunitySummaryRequest>,
    ) -> Answer<pb::UpdateAwsOpportunitySummaryResponse> {
        let api = self.clone();
        let handle = move |call| update_aws_summary::handle(api.clone(), call);
        let permit = self.permit_crm_or(Action::UpdateAwsSummary);
        write_with_rules(request, permit, SUMMARY, handle).await
    }
}
