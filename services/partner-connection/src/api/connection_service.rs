//! The RPCs of `ConnectionService`: what access each needs, and its file.

use cosell_grpc::{read, write};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::connection_service_server::ConnectionService;
use tonic::Request;

use super::{
    Answer, Api, accept_invitation, cancel_connection, cancel_invitation, create_invitation, get_connection,
    get_invitation, get_preferences, list_connections, list_invitations, permit, reject_invitation,
    update_preferences,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl ConnectionService for Api {
    async fn create_connection_invitation(
        &self,
        request: Request<pb::CreateConnectionInvitationRequest>,
    ) -> Answer<pb::CreateConnectionInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::Represent), move |call| {
            create_invitation::handle(api.clone(), call)
        })
        .await
    }

    async fn get_connection_invitation(
        &self,
        request: Request<pb::GetConnectionInvitationRequest>,
    ) -> Answer<pb::GetConnectionInvitationResponse> {
        read(request, permit(Action::GetInvitation), |call| {
            get_invitation::handle(self, call)
        })
        .await
    }

    async fn list_connection_invitations(
        &self,
        request: Request<pb::ListConnectionInvitationsRequest>,
    ) -> Answer<pb::ListConnectionInvitationsResponse> {
        read(request, permit(Action::Work), |call| {
            list_invitations::handle(self, call)
        })
        .await
    }

    async fn accept_connection_invitation(
        &self,
        request: Request<pb::AcceptConnectionInvitationRequest>,
    ) -> Answer<pb::AcceptConnectionInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::Represent), move |call| {
            accept_invitation::handle(api.clone(), call)
        })
        .await
    }

    async fn reject_connection_invitation(
        &self,
        request: Request<pb::RejectConnectionInvitationRequest>,
    ) -> Answer<pb::RejectConnectionInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::Represent), move |call| {
            reject_invitation::handle(api.clone(), call)
        })
        .await
    }

    async fn cancel_connection_invitation(
        &self,
        request: Request<pb::CancelConnectionInvitationRequest>,
    ) -> Answer<pb::CancelConnectionInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::Represent), move |call| {
            cancel_invitation::handle(api.clone(), call)
        })
        .await
    }

    async fn get_connection(
        &self,
        request: Request<pb::GetConnectionRequest>,
    ) -> Answer<pb::GetConnectionResponse> {
        read(request, permit(Action::Work), |call| {
            get_connection::handle(self, call)
        })
        .await
    }

    async fn list_connections(
        &self,
        request: Request<pb::ListConnectionsRequest>,
    ) -> Answer<pb::ListConnectionsResponse> {
        read(request, permit(Action::Work), |call| {
            list_connections::handle(self, call)
        })
        .await
    }

    async fn cancel_connection(
        &self,
        request: Request<pb::CancelConnectionRequest>,
    ) -> Answer<pb::CancelConnectionResponse> {
        let api = self.clone();
        write(request, permit(Action::Represent), move |call| {
            cancel_connection::handle(api.clone(), call)
        })
        .await
    }

    async fn get_connection_preferences(
        &self,
        request: Request<pb::GetConnectionPreferencesRequest>,
    ) -> Answer<pb::GetConnectionPreferencesResponse> {
        read(request, permit(Action::Work), |call| {
            get_preferences::handle(self, call)
        })
        .await
    }

    async fn update_connection_preferences(
        &self,
        request: Request<pb::UpdateConnectionPreferencesRequest>,
    ) -> Answer<pb::UpdateConnectionPreferencesResponse> {
        let api = self.clone();
        write(request, permit(Action::Represent), move |call| {
            update_preferences::handle(api.clone(), call)
        })
        .await
    }
}
