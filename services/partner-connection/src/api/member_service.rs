//! The RPCs of `MemberService`: what access each needs, and its file.

use cosell_grpc::{read, write};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::member_service_server::MemberService;
use tonic::Request;

use super::{
    Answer, Api, accept_membership, deactivate_member, get_member, invite_member, list_assignable,
    list_members, permit, set_member_roles, transfer_alliance_lead, update_member,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl MemberService for Api {
    async fn invite_member(
        &self,
        request: Request<pb::InviteMemberRequest>,
    ) -> Answer<pb::InviteMemberResponse> {
        let api = self.clone();
        write(request, permit(Action::Administer), move |call| {
            invite_member::handle(api.clone(), call)
        })
        .await
    }

    async fn accept_membership(
        &self,
        request: Request<pb::AcceptMembershipRequest>,
    ) -> Answer<pb::AcceptMembershipResponse> {
        let api = self.clone();
        write(request, permit(Action::Join), move |call| {
            accept_membership::handle(api.clone(), call)
        })
        .await
    }

    async fn get_member(&self, request: Request<pb::GetMemberRequest>) -> Answer<pb::GetMemberResponse> {
        read(request, permit(Action::GetMember), |call| {
            get_member::handle(self, call)
        })
        .await
    }

    async fn list_members(
        &self,
        request: Request<pb::ListMembersRequest>,
    ) -> Answer<pb::ListMembersResponse> {
        read(request, permit(Action::ListMembers), |call| {
            list_members::handle(self, call)
        })
        .await
    }

    async fn list_assignable_members(
        &self,
        request: Request<pb::ListAssignableMembersRequest>,
    ) -> Answer<pb::ListAssignableMembersResponse> {
        read(request, permit(Action::Work), |call| {
            list_assignable::handle(self, call)
        })
        .await
    }

    async fn update_member(
        &self,
        request: Request<pb::UpdateMemberRequest>,
    ) -> Answer<pb::UpdateMemberResponse> {
        let api = self.clone();
        write(request, permit(Action::UpdateMember), move |call| {
            update_member::handle(api.clone(), call)
        })
        .await
    }

    async fn set_member_roles(
        &self,
        request: Request<pb::SetMemberRolesRequest>,
    ) -> Answer<pb::SetMemberRolesResponse> {
        let api = self.clone();
        write(request, permit(Action::Administer), move |call| {
            set_member_roles::handle(api.clone(), call)
        })
        .await
    }

    async fn deactivate_member(
        &self,
        request: Request<pb::DeactivateMemberRequest>,
    ) -> Answer<pb::DeactivateMemberResponse> {
        let api = self.clone();
        write(request, permit(Action::Administer), move |call| {
            deactivate_member::handle(api.clone(), call)
        })
        .await
    }

    async fn transfer_alliance_lead(
        &self,
        request: Request<pb::TransferAllianceLeadRequest>,
    ) -> Answer<pb::TransferAllianceLeadResponse> {
        let api = self.clone();
        write(request, permit(Action::Lead), move |call| {
            transfer_alliance_lead::handle(api.clone(), call)
        })
        .await
    }
}
