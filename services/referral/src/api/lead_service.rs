//! The RPCs of `LeadService`: the access that each requires, and its handler.

use cosell_grpc::{read, write};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::lead_service_server::LeadService;
use tonic::Request;

use super::{
    Api, RpcResult, add_lead_interaction, assign_lead, convert_lead, get_lead, list_leads, permit,
    set_lead_state,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl LeadService for Api {
    async fn get_lead(&self, request: Request<pb::GetLeadRequest>) -> RpcResult<pb::GetLeadResponse> {
        read(request, permit(Action::Lead), |call| get_lead::handle(self, call)).await
    }

    async fn list_leads(&self, request: Request<pb::ListLeadsRequest>) -> RpcResult<pb::ListLeadsResponse> {
        read(request, permit(Action::Lead), |call| {
            list_leads::handle(self, call)
        })
        .await
    }

    async fn set_lead_state(
        &self,
        request: Request<pb::SetLeadStateRequest>,
    ) -> RpcResult<pb::SetLeadStateResponse> {
        let api = self.clone();
        write(request, permit(Action::Lead), move |call| {
            set_lead_state::handle(api.clone(), call)
        })
        .await
    }

    async fn add_lead_interaction(
        &self,
        request: Request<pb::AddLeadInteractionRequest>,
    ) -> RpcResult<pb::AddLeadInteractionResponse> {
        let api = self.clone();
        write(request, permit(Action::Lead), move |call| {
            add_lead_interaction::handle(api.clone(), call)
        })
        .await
    }

    async fn assign_lead(
        &self,
        request: Request<pb::AssignLeadRequest>,
    ) -> RpcResult<pb::AssignLeadResponse> {
        let api = self.clone();
        write(request, permit(Action::Lead), move |call| {
            assign_lead::handle(api.clone(), call)
        })
        .await
    }

    async fn convert_lead(
        &self,
        request: Request<pb::ConvertLeadRequest>,
    ) -> RpcResult<pb::ConvertLeadResponse> {
        let api = self.clone();
        write(request, permit(Action::Lead), move |call| {
            convert_lead::handle(api.clone(), call)
        })
        .await
    }
}
