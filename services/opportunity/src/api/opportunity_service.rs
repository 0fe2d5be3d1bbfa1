//! The RPCs of `OpportunityService`: what access each needs, and its file.

use cosell_grpc::{read, write, write_with_rules};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::opportunity_service_server::OpportunityService;
use tonic::Request;

use super::{
    Answer, Api, RECORD, allowed_actions, associate_entity, count, create, disassociate_entity, flag, get,
    list, permit, tag_opportunity, untag_opportunity, update,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl OpportunityService for Api {
    async fn create_opportunity(
        &self,
        request: Request<pb::CreateOpportunityRequest>,
    ) -> Answer<pb::CreateOpportunityResponse> {
        let api = self.clone();
        let handle = move |call| create::handle(api.clone(), call);
        write_with_rules(request, permit(Action::Create), RECORD, handle).await
    }

    async fn get_opportunity(
        &self,
        request: Request<pb::GetOpportunityRequest>,
    ) -> Answer<pb::GetOpportunityResponse> {
        read(request, permit(Action::Get), |call| get::handle(self, call)).await
    }

    async fn list_opportunities(
        &self,
        request: Request<pb::ListOpportunitiesRequest>,
    ) -> Answer<pb::ListOpportunitiesResponse> {
        read(request, permit(Action::List), |call| list::handle(self, call)).await
    }

    async fn count_opportunities(
        &self,
        request: Request<pb::CountOpportunitiesRequest>,
    ) -> Answer<pb::CountOpportunitiesResponse> {
        read(request, permit(Action::Count), |call| count::handle(self, call)).await
    }

    async fn update_opportunity(
        &self,
        request: Request<pb::UpdateOpportunityRequest>,
    ) -> Answer<pb::UpdateOpportunityResponse> {
        let api = self.clone();
        let handle = move |call| update::handle(api.clone(), call);
        write_with_rules(request, permit(Action::Update), RECORD, handle).await
    }

    async fn associate_entity(
        &self,
        request: Request<pb::AssociateEntityRequest>,
    ) -> Answer<pb::AssociateEntityResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            associate_entity::handle(api.clone(), call)
        })
        .await
    }

    async fn disassociate_entity(
        &self,
        request: Request<pb::DisassociateEntityRequest>,
    ) -> Answer<pb::DisassociateEntityResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            disassociate_entity::handle(api.clone(), call)
        })
        .await
    }

    async fn tag_opportunity(
        &self,
        request: Request<pb::TagOpportunityRequest>,
    ) -> Answer<pb::TagOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            tag_opportunity::handle(api.clone(), call)
        })
        .await
    }

    async fn untag_opportunity(
        &self,
        request: Request<pb::UntagOpportunityRequest>,
    ) -> Answer<pb::UntagOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            untag_opportunity::handle(api.clone(), call)
        })
        .await
    }

    async fn flag_opportunity(
        &self,
        request: Request<pb::FlagOpportunityRequest>,
    ) -> Answer<pb::FlagOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Flag), move |call| {
            flag::handle(api.clone(), call)
        })
        .await
    }

    async fn get_allowed_actions(
        &self,
        request: Request<pb::GetAllowedActionsRequest>,
    ) -> Answer<pb::GetAllowedActionsResponse> {
        read(request, permit(Action::AllowedActions), |call| {
            allowed_actions::handle(self, call)
        })
        .await
    }
}
