//! The RPCs of `ChannelService`: the access that each requires, and its handler.

use cosell_grpc::{read, write};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::channel_service_server::ChannelService;
use tonic::Request;

use super::{
    Api, RpcResult, add_channel_members, approve_channel, archive_channel, decline_channel, get_channel,
    get_channel_preferences, join_channel, leave_channel, list_channels, permit, request_channel,
    update_channel_preferences,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl ChannelService for Api {
    async fn request_channel(
        &self,
        request: Request<pb::RequestChannelRequest>,
    ) -> RpcResult<pb::RequestChannelResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageEngagements), move |call| {
            request_channel::handle(api.clone(), call)
        })
        .await
    }

    async fn get_channel(
        &self,
        request: Request<pb::GetChannelRequest>,
    ) -> RpcResult<pb::GetChannelResponse> {
        read(request, permit(Action::ReadChannel), |call| {
            get_channel::handle(self, call)
        })
        .await
    }

    async fn list_channels(
        &self,
        request: Request<pb::ListChannelsRequest>,
    ) -> RpcResult<pb::ListChannelsResponse> {
        read(request, permit(Action::Read), |call| {
            list_channels::handle(self, call)
        })
        .await
    }

    async fn approve_channel(
        &self,
        request: Request<pb::ApproveChannelRequest>,
    ) -> RpcResult<pb::ApproveChannelResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageChannels), move |call| {
            approve_channel::handle(api.clone(), call)
        })
        .await
    }

    async fn decline_channel(
        &self,
        request: Request<pb::DeclineChannelRequest>,
    ) -> RpcResult<pb::DeclineChannelResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageChannels), move |call| {
            decline_channel::handle(api.clone(), call)
        })
        .await
    }

    async fn add_channel_members(
        &self,
        request: Request<pb::AddChannelMembersRequest>,
    ) -> RpcResult<pb::AddChannelMembersResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageChannels), move |call| {
            add_channel_members::handle(api.clone(), call)
        })
        .await
    }

    async fn join_channel(
        &self,
        request: Request<pb::JoinChannelRequest>,
    ) -> RpcResult<pb::JoinChannelResponse> {
        let api = self.clone();
        write(request, permit(Action::UseChannels), move |call| {
            join_channel::handle(api.clone(), call)
        })
        .await
    }

    async fn leave_channel(
        &self,
        request: Request<pb::LeaveChannelRequest>,
    ) -> RpcResult<pb::LeaveChannelResponse> {
        let api = self.clone();
        write(request, permit(Action::UseChannels), move |call| {
            leave_channel::handle(api.clone(), call)
        })
        .await
    }

    async fn archive_channel(
        &self,
        request: Request<pb::ArchiveChannelRequest>,
    ) -> RpcResult<pb::ArchiveChannelResponse> {
        let api = self.clone();
        write(request, permit(Action::ManageChannels), move |call| {
            archive_channel::handle(api.clone(), call)
        })
        .await
    }

    async fn get_channel_preferences(
        &self,
        request: Request<pb::GetChannelPreferencesRequest>,
    ) -> RpcResult<pb::GetChannelPreferencesResponse> {
        read(request, permit(Action::UseChannels), |call| {
            get_channel_preferences::handle(self, call)
        })
        .await
    }

    async fn update_channel_preferences(
        &self,
        request: Request<pb::UpdateChannelPreferencesRequest>,
    ) -> RpcResult<pb::UpdateChannelPreferencesResponse> {
        let api = self.clone();
        write(request, permit(Action::UseChannels), move |call| {
            update_channel_preferences::handle(api.clone(), call)
        })
        .await
    }
}
