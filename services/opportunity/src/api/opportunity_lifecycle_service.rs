//! The RPCs of `OpportunityLifecycleService`: what access each needs, and its file.

use cosell_grpc::{read, write, write_with_rules};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::opportunity_lifecycle_service_server::OpportunityLifecycleService;
use tonic::Request;

use super::{
    Answer, Api, RECORD, add_next_step, assign, change_stage, clone, discard, list_next_steps, permit,
    reopen, submit, withdraw,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl OpportunityLifecycleService for Api {
    async fn submit_opportunity(
        &self,
        request: Request<pb::SubmitOpportunityRequest>,
    ) -> Answer<pb::SubmitOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Submit), move |call| {
            submit::handle(api.clone(), call)
        })
        .await
    }

    async fn withdraw_submission(
        &self,
        request: Request<pb::WithdrawSubmissionRequest>,
    ) -> Answer<pb::WithdrawSubmissionResponse> {
        let api = self.clone();
        write(request, permit(Action::Withdraw), move |call| {
            withdraw::handle(api.clone(), call)
        })
        .await
    }

    async fn discard_draft(
        &self,
        request: Request<pb::DiscardDraftRequest>,
    ) -> Answer<pb::DiscardDraftResponse> {
        let api = self.clone();
        write(request, permit(Action::Discard), move |call| {
            discard::handle(api.clone(), call)
        })
        .await
    }

    async fn change_stage(
        &self,
        request: Request<pb::ChangeStageRequest>,
    ) -> Answer<pb::ChangeStageResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            change_stage::handle(api.clone(), call)
        })
        .await
    }

    async fn reopen_opportunity(
        &self,
        request: Request<pb::ReopenOpportunityRequest>,
    ) -> Answer<pb::ReopenOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Reopen), move |call| {
            reopen::handle(api.clone(), call)
        })
        .await
    }

    async fn add_next_step(
        &self,
        request: Request<pb::AddNextStepRequest>,
    ) -> Answer<pb::AddNextStepResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            add_next_step::handle(api.clone(), call)
        })
        .await
    }

    async fn list_next_steps(
        &self,
        request: Request<pb::ListNextStepsRequest>,
    ) -> Answer<pb::ListNextStepsResponse> {
        read(request, permit(Action::AllowedActions), |call| {
            list_next_steps::handle(self, call)
        })
        .await
    }

    async fn clone_opportunity(
        &self,
        request: Request<pb::CloneOpportunityRequest>,
    ) -> Answer<pb::CloneOpportunityResponse> {
        let api = self.clone();
        let handle = move |call| clone::handle(api.clone(), call);
        write_with_rules(request, permit(Action::Create), RECORD, handle).await
    }

    async fn assign_opportunity(
        &self,
        request: Request<pb::AssignOpportunityRequest>,
    ) -> Answer<pb::AssignOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            assign::handle(api.clone(), call)
        })
        .await
    }
}
