//! The RPCs of `OpportunityService`: the access that each requires, and its handler.

use cosell_grpc::{read, write, write_record};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::opportunity_service_server::OpportunityService;
use tonic::Request;

use super::{
    Api, RpcResult, associate_entity, count_opportunities, create_opportunity, disassociate_entity,
    flag_opportunity, get_allowed_actions, get_opportunity, list_opportunities, permit, tag_opportunity,
    untag_opportunity, update_opportunity,
};
use crate::domain::access::Action;
use crate::status::RECORD;

#[tonic::async_trait]
impl OpportunityService for Api {
    async fn create_opportunity(
        &self,
        request: Request<pb::CreateOpportunityRequest>,
    ) -> RpcResult<pb::CreateOpportunityResponse> {
        let api = self.clone();
        let handle = move |call| create_opportunity::handle(api.clone(), call);
        write_record(request, permit(Action::Create), RECORD, handle).await
    }

    async fn get_opportunity(
        &self,
        request: Request<pb::GetOpportunityRequest>,
    ) -> RpcResult<pb::GetOpportunityResponse> {
        read(request, permit(Action::Get), |call| {
            get_opportunity::handle(self, call)
        })
        .await
    }

    async fn list_opportunities(
        &self,
        request: Request<pb::ListOpportunitiesRequest>,
    ) -> RpcResult<pb::ListOpportunitiesResponse> {
        read(request, permit(Action::List), |call| {
            list_opportunities::handle(self, call)
        })
        .await
    }

    async fn count_opportunities(
        &self,
        request: Request<pb::CountOpportunitiesRequest>,
    ) -> RpcResult<pb::CountOpportunitiesResponse> {
        read(request, permit(Action::Count), |call| {
            count_opportunities::handle(self, call)
        })
        .await
    }

    async fn update_opportunity(
        &self,
        request: Request<pb::UpdateOpportunityRequest>,
    ) -> RpcResult<pb::UpdateOpportunityResponse> {
        let api = self.clone();
        let handle = move |call| update_opportunity::handle(api.clone(), call);
        write_record(request, permit(Action::Update), RECORD, handle).await
    }

    async fn associate_entity(
        &self,
        request: Request<pb::AssociateEntityRequest>,
    ) -> RpcResult<pb::AssociateEntityResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            associate_entity::handle(api.clone(), call)
        })
        .await
    }

    async fn disassociate_entity(
        &self,
        request: Request<pb::DisassociateEntityRequest>,
    ) -> RpcResult<pb::DisassociateEntityResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            disassociate_entity::handle(api.clone(), call)
        })
        .await
    }

    async fn tag_opportunity(
        &self,
        request: Request<pb::TagOpportunityRequest>,
    ) -> RpcResult<pb::TagOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            tag_opportunity::handle(api.clone(), call)
        })
        .await
    }

    async fn untag_opportunity(
        &self,
        request: Request<pb::UntagOpportunityRequest>,
    ) -> RpcResult<pb::UntagOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Update), move |call| {
            untag_opportunity::handle(api.clone(), call)
        })
        .await
    }

    async fn flag_opportunity(
        &self,
        request: Request<pb::FlagOpportunityRequest>,
    ) -> RpcResult<pb::FlagOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Flag), move |call| {
            flag_opportunity::handle(api.clone(), call)
        })
        .await
    }

    async fn get_allowed_actions(
        &self,
        request: Request<pb::GetAllowedActionsRequest>,
    ) -> RpcResult<pb::GetAllowedActionsResponse> {
        read(request, permit(Action::AllowedActions), |call| {
            get_allowed_actions::handle(self, call)
        })
        .await
    }
}
