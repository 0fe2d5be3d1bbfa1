//! The RPCs of `LeadService`: what access each needs, and its file.

use cosell_grpc::{read, write};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::lead_service_server::LeadService;
use tonic::Request;

use super::{
    Answer, Api, lead_add_interaction, lead_assign, lead_convert, lead_get, lead_list, lead_set_state, permit,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl LeadService for Api {
    async fn get_lead(&self, request: Request<pb::GetLeadRequest>) -> Answer<pb::GetLeadResponse> {
        read(request, permit(Action::Lead), |call| lead_get::handle(self, call)).await
    }

    async fn list_leads(&self, request: Request<pb::ListLeadsRequest>) -> Answer<pb::ListLeadsResponse> {
        read(request, permit(Action::Lead), |call| {
            lead_list::handle(self, call)
        })
        .await
    }

    async fn set_lead_state(
        &self,
        request: Request<pb::SetLeadStateRequest>,
    ) -> Answer<pb::SetLeadStateResponse> {
        let api = self.clone();
        write(request, permit(Action::Lead), move |call| {
            lead_set_state::handle(api.clone(), call)
        })
        .await
    }

    async fn add_lead_interaction(
        &self,
        request: Request<pb::AddLeadInteractionRequest>,
    ) -> Answer<pb::AddLeadInteractionResponse> {
        let api = self.clone();
        write(request, permit(Action::Lead), move |call| {
            lead_add_interaction::handle(api.clone(), call)
        })
        .await
    }

    async fn assign_lead(&self, request: Request<pb::AssignLeadRequest>) -> Answer<pb::AssignLeadResponse> {
        let api = self.clone();
        write(request, permit(Action::Lead), move |call| {
            lead_assign::handle(api.clone(), call)
        })
        .await
    }

    async fn convert_lead(
        &self,
        request: Request<pb::ConvertLeadRequest>,
    ) -> Answer<pb::ConvertLeadResponse> {
        let api = self.clone();
        write(request, permit(Action::Lead), move |call| {
            lead_convert::handle(api.clone(), call)
        })
        .await
    }
}
