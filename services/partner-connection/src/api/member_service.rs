//! The RPCs of `MemberService`: the permission that each requires, and its handler.

use cosell_grpc::{read, write};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::member_service_server::MemberService;
use tonic::Request;

use super::{
    Api, RpcResult, accept_membership, deactivate_member, get_member, invite_member, list_assignable_members,
    list_members, permit, set_member_roles, transfer_alliance_lead, update_member,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl MemberService for Api {
    async fn invite_member(
        &self,
        request: Request<pb::InviteMemberRequest>,
    ) -> RpcResult<pb::InviteMemberResponse> {
        let api = self.clone();
        write(request, permit(Action::AdministerMembers), move |call| {
            invite_member::handle(api.clone(), call)
        })
        .await
    }

    async fn accept_membership(
        &self,
        request: Request<pb::AcceptMembershipRequest>,
    ) -> RpcResult<pb::AcceptMembershipResponse> {
        let api = self.clone();
        write(request, permit(Action::AcceptMembership), move |call| {
            accept_membership::handle(api.clone(), call)
        })
        .await
    }

    async fn get_member(&self, request: Request<pb::GetMemberRequest>) -> RpcResult<pb::GetMemberResponse> {
        read(request, permit(Action::GetMember), |call| {
            get_member::handle(self, call)
        })
        .await
    }

    async fn list_members(
        &self,
        request: Request<pb::ListMembersRequest>,
    ) -> RpcResult<pb::ListMembersResponse> {
        read(request, permit(Action::ListMembers), |call| {
            list_members::handle(self, call)
        })
        .await
    }

    async fn list_assignable_members(
        &self,
        request: Request<pb::ListAssignableMembersRequest>,
    ) -> RpcResult<pb::ListAssignableMembersResponse> {
        read(request, permit(Action::ReadAsPipelineRole), |call| {
            list_assignable_members::handle(self, call)
        })
        .await
    }

    async fn update_member(
        &self,
        request: Request<pb::UpdateMemberRequest>,
    ) -> RpcResult<pb::UpdateMemberResponse> {
        let api = self.clone();
        write(request, permit(Action::UpdateMember), move |call| {
            update_member::handle(api.clone(), call)
        })
        .await
    }

    async fn set_member_roles(
        &self,
        request: Request<pb::SetMemberRolesRequest>,
    ) -> RpcResult<pb::SetMemberRolesResponse> {
        let api = self.clone();
        write(request, permit(Action::AdministerMembers), move |call| {
            set_member_roles::handle(api.clone(), call)
        })
        .await
    }

    async fn deactivate_member(
        &self,
        request: Request<pb::DeactivateMemberRequest>,
    ) -> RpcResult<pb::DeactivateMemberResponse> {
        let api = self.clone();
        write(request, permit(Action::AdministerMembers), move |call| {
            deactivate_member::handle(api.clone(), call)
        })
        .await
    }

    async fn transfer_alliance_lead(
        &self,
        request: Request<pb::TransferAllianceLeadRequest>,
    ) -> RpcResult<pb::TransferAllianceLeadResponse> {
        let api = self.clone();
        write(request, permit(Action::ActAsAllianceLead), move |call| {
            transfer_alliance_lead::handle(api.clone(), call)
        })
        .await
    }
}
