//! The RPCs of `OpportunityLifecycleService`: the access that each requires, and its handler.

use cosell_grpc::{read, write, write_record};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::opportunity_lifecycle_service_server::OpportunityLifecycleService;
use tonic::Request;

use super::{
    Api, RpcResult, add_next_step, assign_opportunity, change_stage, clone_opportunity,
    correct_closed_opportunity, discard_draft, list_next_steps, permit, reopen_opportunity,
    submit_opportunity, withdraw_submission,
};
use crate::domain::access::Action;
use crate::status::RECORD;

#[tonic::async_trait]
impl OpportunityLifecycleService for Api {
    async fn submit_opportunity(
        &self,
        request: Request<pb::SubmitOpportunityRequest>,
    ) -> RpcResult<pb::SubmitOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Submit), move |call| {
            submit_opportunity::handle(api.clone(), call)
        })
        .await
    }

    async fn withdraw_submission(
        &self,
        request: Request<pb::WithdrawSubmissionRequest>,
    ) -> RpcResult<pb::WithdrawSubmissionResponse> {
        let api = self.clone();
        write(request, permit(Action::Withdraw), move |call| {
            withdraw_submission::handle(api.clone(), call)
        })
        .await
    }

    async fn discard_draft(
        &self,
        request: Request<pb::DiscardDraftRequest>,
    ) -> RpcResult<pb::DiscardDraftResponse> {
        let api = self.clone();
        write(request, permit(Action::Discard), move |call| {
            discard_draft::handle(api.clone(), call)
        })
        .await
    }

    async fn change_stage(
        &self,
        request: Request<pb::ChangeStageRequest>,
    ) -> RpcResult<pb::ChangeStageResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            change_stage::handle(api.clone(), call)
        })
        .await
    }

    async fn correct_closed_opportunity(
        &self,
        request: Request<pb::CorrectClosedOpportunityRequest>,
    ) -> RpcResult<pb::CorrectClosedOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            correct_closed_opportunity::handle(api.clone(), call)
        })
        .await
    }

    async fn reopen_opportunity(
        &self,
        request: Request<pb::ReopenOpportunityRequest>,
    ) -> RpcResult<pb::ReopenOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Reopen), move |call| {
            reopen_opportunity::handle(api.clone(), call)
        })
        .await
    }

    async fn add_next_step(
        &self,
        request: Request<pb::AddNextStepRequest>,
    ) -> RpcResult<pb::AddNextStepResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            add_next_step::handle(api.clone(), call)
        })
        .await
    }

    async fn list_next_steps(
        &self,
        request: Request<pb::ListNextStepsRequest>,
    ) -> RpcResult<pb::ListNextStepsResponse> {
        read(request, permit(Action::AllowedActions), |call| {
            list_next_steps::handle(self, call)
        })
        .await
    }

    async fn clone_opportunity(
        &self,
        request: Request<pb::CloneOpportunityRequest>,
    ) -> RpcResult<pb::CloneOpportunityResponse> {
        let api = self.clone();
        let handle = move |call| clone_opportunity::handle(api.clone(), call);
        write_record(request, permit(Action::Create), RECORD, handle).await
    }

    async fn assign_opportunity(
        &self,
        request: Request<pb::AssignOpportunityRequest>,
    ) -> RpcResult<pb::AssignOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            assign_opportunity::handle(api.clone(), call)
        })
        .await
    }
}
