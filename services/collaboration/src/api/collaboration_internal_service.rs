//! The RPCs of `CollaborationInternalService`: the access that each requires, and its handler.

use cosell_grpc::read;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::collaboration_internal_service_server::CollaborationInternalService;
use tonic::Request;

use super::{Api, RpcResult, get_channel_invitation, get_engagement_invitation_for_account, permit};
use crate::domain::access::Action;

#[tonic::async_trait]
impl CollaborationInternalService for Api {
    async fn get_channel_invitation(
        &self,
        request: Request<pb::GetChannelInvitationRequest>,
    ) -> RpcResult<pb::GetChannelInvitationResponse> {
        read(request, permit(Action::ReadForAccount), |call| {
            get_channel_invitation::handle(self, call)
        })
        .await
    }

    async fn get_engagement_invitation_for_account(
        &self,
        request: Request<pb::GetEngagementInvitationForAccountRequest>,
    ) -> RpcResult<pb::GetEngagementInvitationForAccountResponse> {
        read(request, permit(Action::ReadForAccount), |call| {
            get_engagement_invitation_for_account::handle(self, call)
        })
        .await
    }
}
