//! The RPCs of `CollaborationService`: the access that each requires, and its handler.

use cosell_grpc::{read, write};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::collaboration_service_server::CollaborationService;
use tonic::Request;

use super::{
    Api, RpcResult, accept_engagement_invitation, cancel_engagement_invitation, create_engagement_context,
    get_engagement, get_engagement_invitation, leave_engagement, list_engagement_invitations,
    list_engagement_members, list_engagements, permit, reject_engagement_invitation,
    remove_engagement_member, share_opportunity, update_engagement_context,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl CollaborationService for Api {
    async fn share_opportunity(
        &self,
        request: Request<pb::ShareOpportunityRequest>,
    ) -> RpcResult<pb::ShareOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageEngagements), move |call| {
            share_opportunity::handle(api.clone(), call)
        })
        .await
    }

    async fn get_engagement_invitation(
        &self,
        request: Request<pb::GetEngagementInvitationRequest>,
    ) -> RpcResult<pb::GetEngagementInvitationResponse> {
        read(request, permit(Action::Read), |call| {
            get_engagement_invitation::handle(self, call)
        })
        .await
    }

    async fn list_engagement_invitations(
        &self,
        request: Request<pb::ListEngagementInvitationsRequest>,
    ) -> RpcResult<pb::ListEngagementInvitationsResponse> {
        read(request, permit(Action::ListInvitations), |call| {
            list_engagement_invitations::handle(self, call)
        })
        .await
    }

    async fn accept_engagement_invitation(
        &self,
        request: Request<pb::AcceptEngagementInvitationRequest>,
    ) -> RpcResult<pb::AcceptEngagementInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::AnswerInvitation), move |call| {
            accept_engagement_invitation::handle(api.clone(), call)
        })
        .await
    }

    async fn reject_engagement_invitation(
        &self,
        request: Request<pb::RejectEngagementInvitationRequest>,
    ) -> RpcResult<pb::RejectEngagementInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::AnswerInvitation), move |call| {
            reject_engagement_invitation::handle(api.clone(), call)
        })
        .await
    }

    async fn cancel_engagement_invitation(
        &self,
        request: Request<pb::CancelEngagementInvitationRequest>,
    ) -> RpcResult<pb::CancelEngagementInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageEngagements), move |call| {
            cancel_engagement_invitation::handle(api.clone(), call)
        })
        .await
    }

    async fn get_engagement(
        &self,
        request: Request<pb::GetEngagementRequest>,
    ) -> RpcResult<pb::GetEngagementResponse> {
        read(request, permit(Action::Read), |call| {
            get_engagement::handle(self, call)
        })
        .await
    }

    async fn list_engagements(
        &self,
        request: Request<pb::ListEngagementsRequest>,
    ) -> RpcResult<pb::ListEngagementsResponse> {
        read(request, permit(Action::Read), |call| {
            list_engagements::handle(self, call)
        })
        .await
    }

    async fn list_engagement_members(
        &self,
        request: Request<pb::ListEngagementMembersRequest>,
    ) -> RpcResult<pb::ListEngagementMembersResponse> {
        read(request, permit(Action::Read), |call| {
            list_engagement_members::handle(self, call)
        })
        .await
    }

    async fn create_engagement_context(
        &self,
        request: Request<pb::CreateEngagementContextRequest>,
    ) -> RpcResult<pb::CreateEngagementContextResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageEngagements), move |call| {
            create_engagement_context::handle(api.clone(), call)
        })
        .await
    }

    async fn update_engagement_context(
        &self,
        request: Request<pb::UpdateEngagementContextRequest>,
    ) -> RpcResult<pb::UpdateEngagementContextResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageEngagements), move |call| {
            update_engagement_context::handle(api.clone(), call)
        })
        .await
    }

    async fn leave_engagement(
        &self,
        request: Request<pb::LeaveEngagementRequest>,
    ) -> RpcResult<pb::LeaveEngagementResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageEngagements), move |call| {
            leave_engagement::handle(api.clone(), call)
        })
        .await
    }

    async fn remove_engagement_member(
        &self,
        request: Request<pb::RemoveEngagementMemberRequest>,
    ) -> RpcResult<pb::RemoveEngagementMemberResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageEngagements), move |call| {
            remove_engagement_member::handle(api.clone(), call)
        })
        .await
    }
}
