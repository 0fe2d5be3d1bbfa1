//! The RPCs of `ConnectionService`: the permission that each requires, and its handler.

use cosell_grpc::{read, write};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::connection_service_server::ConnectionService;
use tonic::Request;

use super::{
    Api, RpcResult, accept_connection_invitation, cancel_connection, cancel_connection_invitation,
    create_connection_invitation, get_connection, get_connection_invitation, get_connection_preferences,
    list_connection_invitations, list_connections, permit, reject_connection_invitation,
    update_connection_preferences,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl ConnectionService for Api {
    async fn create_connection_invitation(
        &self,
        request: Request<pb::CreateConnectionInvitationRequest>,
    ) -> RpcResult<pb::CreateConnectionInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::RepresentAccount), move |call| {
            create_connection_invitation::handle(api.clone(), call)
        })
        .await
    }

    async fn get_connection_invitation(
        &self,
        request: Request<pb::GetConnectionInvitationRequest>,
    ) -> RpcResult<pb::GetConnectionInvitationResponse> {
        read(request, permit(Action::GetConnectionInvitation), |call| {
            get_connection_invitation::handle(self, call)
        })
        .await
    }

    async fn list_connection_invitations(
        &self,
        request: Request<pb::ListConnectionInvitationsRequest>,
    ) -> RpcResult<pb::ListConnectionInvitationsResponse> {
        read(request, permit(Action::ReadAsPipelineRole), |call| {
            list_connection_invitations::handle(self, call)
        })
        .await
    }

    async fn accept_connection_invitation(
        &self,
        request: Request<pb::AcceptConnectionInvitationRequest>,
    ) -> RpcResult<pb::AcceptConnectionInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::RepresentAccount), move |call| {
            accept_connection_invitation::handle(api.clone(), call)
        })
        .await
    }

    async fn reject_connection_invitation(
        &self,
        request: Request<pb::RejectConnectionInvitationRequest>,
    ) -> RpcResult<pb::RejectConnectionInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::RepresentAccount), move |call| {
            reject_connection_invitation::handle(api.clone(), call)
        })
        .await
    }

    async fn cancel_connection_invitation(
        &self,
        request: Request<pb::CancelConnectionInvitationRequest>,
    ) -> RpcResult<pb::CancelConnectionInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::RepresentAccount), move |call| {
            cancel_connection_invitation::handle(api.clone(), call)
        })
        .await
    }

    async fn get_connection(
        &self,
        request: Request<pb::GetConnectionRequest>,
    ) -> RpcResult<pb::GetConnectionResponse> {
        read(request, permit(Action::ReadAsPipelineRole), |call| {
            get_connection::handle(self, call)
        })
        .await
    }

    async fn list_connections(
        &self,
        request: Request<pb::ListConnectionsRequest>,
    ) -> RpcResult<pb::ListConnectionsResponse> {
        read(request, permit(Action::ReadAsPipelineRole), |call| {
            list_connections::handle(self, call)
        })
        .await
    }

    async fn cancel_connection(
        &self,
        request: Request<pb::CancelConnectionRequest>,
    ) -> RpcResult<pb::CancelConnectionResponse> {
        let api = self.clone();
        write(request, permit(Action::RepresentAccount), move |call| {
            cancel_connection::handle(api.clone(), call)
        })
        .await
    }

    async fn get_connection_preferences(
        &self,
        request: Request<pb::GetConnectionPreferencesRequest>,
    ) -> RpcResult<pb::GetConnectionPreferencesResponse> {
        read(request, permit(Action::ReadAsPipelineRole), |call| {
            get_connection_preferences::handle(self, call)
        })
        .await
    }

    async fn update_connection_preferences(
        &self,
        request: Request<pb::UpdateConnectionPreferencesRequest>,
    ) -> RpcResult<pb::UpdateConnectionPreferencesResponse> {
        let api = self.clone();
        write(request, permit(Action::RepresentAccount), move |call| {
            update_connection_preferences::handle(api.clone(), call)
        })
        .await
    }
}
