//! The RPCs: one file each, in which the handler is the use case. Every line below names the RPC, what access it
//! needs, and its file.

mod accept_engagement_invitation;
mod add_channel_members;
mod approve_channel;
mod archive_channel;
mod cancel_engagement_invitation;
mod change;
pub mod convert;
mod convert_channel;
mod create_context;
mod create_job;
mod decline_channel;
mod delete_job;
mod get;
mod get_channel;
mod get_channel_preferences;
mod get_invitation;
mod get_job;
mod get_snapshot;
mod join_channel;
mod leave;
mod leave_channel;
mod list;
mod list_channels;
mod list_invitations;
mod list_jobs;
mod list_members;
mod list_resources;
mod list_snapshots;
mod people;
mod reject_engagement_invitation;
mod remove_member;
mod request_channel;
mod share;
mod start_job;
mod status;
mod stop_job;
mod update_channel_preferences;
mod update_context;
mod visible;

use std::sync::Arc;

use cosell_events::Cause;
use cosell_grpc::{Call, Failure, Peer, read, write};
use cosell_proto::Mutation;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::channel_service_server::ChannelService;
use cosell_proto::cosell::collaboration::v1::collaboration_service_server::CollaborationService;
use cosell_proto::cosell::collaboration::v1::snapshot_service_server::SnapshotService;
use cosell_store::{Db, Scope, Tx};
use cosell_telemetry::metrics;
use cosell_types::{Caller, Clock};
use opentelemetry::KeyValue;
use tonic::{Request, Response, Status};

use crate::channels::ChannelWork;
use crate::domain::ChannelPolicy;
use crate::domain::access::{self, Action};
use crate::domain::values::ChannelProvider;

/// What the use cases need.
#[derive(Clone)]
pub struct Api {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) opportunity: Peer,
    pub(crate) directory: Peer,
    /// Days in which an invitation can be answered.
    pub(crate) days: u32,
    /// Which deals get a channel.
    pub(crate) channels: Arc<ChannelPolicy>,
    /// Who keeps channels.
    pub(crate) provider: ChannelProvider,
    /// What is done about channels elsewhere.
    pub(crate) channel_work: ChannelWork,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl CollaborationService for Api {
    async fn share_opportunity(
        &self,
        request: Request<pb::ShareOpportunityRequest>,
    ) -> Answer<pb::ShareOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            share::handle(api.clone(), call)
        })
        .await
    }

    async fn get_engagement_invitation(
        &self,
        request: Request<pb::GetEngagementInvitationRequest>,
    ) -> Answer<pb::GetEngagementInvitationResponse> {
        read(request, permit(Action::Read), |call| {
            get_invitation::handle(self, call)
        })
        .await
    }

    async fn list_engagement_invitations(
        &self,
        request: Request<pb::ListEngagementInvitationsRequest>,
    ) -> Answer<pb::ListEngagementInvitationsResponse> {
        read(request, permit(Action::ListInvitations), |call| {
            list_invitations::handle(self, call)
        })
        .await
    }

    async fn accept_engagement_invitation(
        &self,
        request: Request<pb::AcceptEngagementInvitationRequest>,
    ) -> Answer<pb::AcceptEngagementInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            accept_engagement_invitation::handle(api.clone(), call)
        })
        .await
    }

    async fn reject_engagement_invitation(
        &self,
        request: Request<pb::RejectEngagementInvitationRequest>,
    ) -> Answer<pb::RejectEngagementInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            reject_engagement_invitation::handle(api.clone(), call)
        })
        .await
    }

    async fn cancel_engagement_invitation(
        &self,
        request: Request<pb::CancelEngagementInvitationRequest>,
    ) -> Answer<pb::CancelEngagementInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            cancel_engagement_invitation::handle(api.clone(), call)
        })
        .await
    }

    async fn get_engagement(
        &self,
        request: Request<pb::GetEngagementRequest>,
    ) -> Answer<pb::GetEngagementResponse> {
        read(request, permit(Action::Read), |call| get::handle(self, call)).await
    }

    async fn list_engagements(
        &self,
        request: Request<pb::ListEngagementsRequest>,
    ) -> Answer<pb::ListEngagementsResponse> {
        read(request, permit(Action::Read), |call| list::handle(self, call)).await
    }

    async fn list_engagement_members(
        &self,
        request: Request<pb::ListEngagementMembersRequest>,
    ) -> Answer<pb::ListEngagementMembersResponse> {
        read(request, permit(Action::Read), |call| {
            list_members::handle(self, call)
        })
        .await
    }

    async fn create_engagement_context(
        &self,
        request: Request<pb::CreateEngagementContextRequest>,
    ) -> Answer<pb::CreateEngagementContextResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            create_context::handle(api.clone(), call)
        })
        .await
    }

    async fn update_engagement_context(
        &self,
        request: Request<pb::UpdateEngagementContextRequest>,
    ) -> Answer<pb::UpdateEngagementContextResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            update_context::handle(api.clone(), call)
        })
        .await
    }

    async fn leave_engagement(
        &self,
        request: Request<pb::LeaveEngagementRequest>,
    ) -> Answer<pb::LeaveEngagementResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            leave::handle(api.clone(), call)
        })
        .await
    }

    async fn remove_engagement_member(
        &self,
        request: Request<pb::RemoveEngagementMemberRequest>,
    ) -> Answer<pb::RemoveEngagementMemberResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            remove_member::handle(api.clone(), call)
        })
        .await
    }
}

#[tonic::async_trait]
impl SnapshotService for Api {
    async fn get_resource_snapshot(
        &self,
        request: Request<pb::GetResourceSnapshotRequest>,
    ) -> Answer<pb::GetResourceSnapshotResponse> {
        read(request, permit(Action::Read), |call| {
            get_snapshot::handle(self, call)
        })
        .await
    }

    async fn list_resource_snapshots(
        &self,
        request: Request<pb::ListResourceSnapshotsRequest>,
    ) -> Answer<pb::ListResourceSnapshotsResponse> {
        read(request, permit(Action::Read), |call| {
            list_snapshots::handle(self, call)
        })
        .await
    }

    async fn list_engagement_resources(
        &self,
        request: Request<pb::ListEngagementResourcesRequest>,
    ) -> Answer<pb::ListEngagementResourcesResponse> {
        read(request, permit(Action::Read), |call| {
            list_resources::handle(self, call)
        })
        .await
    }

    async fn create_snapshot_job(
        &self,
        request: Request<pb::CreateSnapshotJobRequest>,
    ) -> Answer<pb::CreateSnapshotJobResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            create_job::handle(api.clone(), call)
        })
        .await
    }

    async fn get_snapshot_job(
        &self,
        request: Request<pb::GetSnapshotJobRequest>,
    ) -> Answer<pb::GetSnapshotJobResponse> {
        read(request, permit(Action::Work), |call| get_job::handle(self, call)).await
    }

    async fn list_snapshot_jobs(
        &self,
        request: Request<pb::ListSnapshotJobsRequest>,
    ) -> Answer<pb::ListSnapshotJobsResponse> {
        read(request, permit(Action::Work), |call| {
            list_jobs::handle(self, call)
        })
        .await
    }

    async fn start_snapshot_job(
        &self,
        request: Request<pb::StartSnapshotJobRequest>,
    ) -> Answer<pb::StartSnapshotJobResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            start_job::handle(api.clone(), call)
        })
        .await
    }

    async fn stop_snapshot_job(
        &self,
        request: Request<pb::StopSnapshotJobRequest>,
    ) -> Answer<pb::StopSnapshotJobResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            stop_job::handle(api.clone(), call)
        })
        .await
    }

    async fn delete_snapshot_job(
        &self,
        request: Request<pb::DeleteSnapshotJobRequest>,
    ) -> Answer<pb::DeleteSnapshotJobResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            delete_job::handle(api.clone(), call)
        })
        .await
    }
}

#[tonic::async_trait]
impl ChannelService for Api {
    async fn request_channel(
        &self,
        request: Request<pb::RequestChannelRequest>,
    ) -> Answer<pb::RequestChannelResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            request_channel::handle(api.clone(), call)
        })
        .await
    }

    async fn get_channel(&self, request: Request<pb::GetChannelRequest>) -> Answer<pb::GetChannelResponse> {
        read(request, permit(Action::ReadChannel), |call| {
            get_channel::handle(self, call)
        })
        .await
    }

    async fn list_channels(
        &self,
        request: Request<pb::ListChannelsRequest>,
    ) -> Answer<pb::ListChannelsResponse> {
        read(request, permit(Action::Read), |call| {
            list_channels::handle(self, call)
        })
        .await
    }

    async fn approve_channel(
        &self,
        request: Request<pb::ApproveChannelRequest>,
    ) -> Answer<pb::ApproveChannelResponse> {
        let api = self.clone();
        write(request, permit(Action::Decide), move |call| {
            approve_channel::handle(api.clone(), call)
        })
        .await
    }

    async fn decline_channel(
        &self,
        request: Request<pb::DeclineChannelRequest>,
    ) -> Answer<pb::DeclineChannelResponse> {
        let api = self.clone();
        write(request, permit(Action::Decide), move |call| {
            decline_channel::handle(api.clone(), call)
        })
        .await
    }

    async fn add_channel_members(
        &self,
        request: Request<pb::AddChannelMembersRequest>,
    ) -> Answer<pb::AddChannelMembersResponse> {
        let api = self.clone();
        write(request, permit(Action::Decide), move |call| {
            add_channel_members::handle(api.clone(), call)
        })
        .await
    }

    async fn join_channel(
        &self,
        request: Request<pb::JoinChannelRequest>,
    ) -> Answer<pb::JoinChannelResponse> {
        let api = self.clone();
        write(request, permit(Action::Chat), move |call| {
            join_channel::handle(api.clone(), call)
        })
        .await
    }

    async fn leave_channel(
        &self,
        request: Request<pb::LeaveChannelRequest>,
    ) -> Answer<pb::LeaveChannelResponse> {
        let api = self.clone();
        write(request, permit(Action::Chat), move |call| {
            leave_channel::handle(api.clone(), call)
        })
        .await
    }

    async fn archive_channel(
        &self,
        request: Request<pb::ArchiveChannelRequest>,
    ) -> Answer<pb::ArchiveChannelResponse> {
        let api = self.clone();
        write(request, permit(Action::Decide), move |call| {
            archive_channel::handle(api.clone(), call)
        })
        .await
    }

    async fn get_channel_preferences(
        &self,
        request: Request<pb::GetChannelPreferencesRequest>,
    ) -> Answer<pb::GetChannelPreferencesResponse> {
        read(request, permit(Action::Chat), |call| {
            get_channel_preferences::handle(self, call)
        })
        .await
    }

    async fn update_channel_preferences(
        &self,
        request: Request<pb::UpdateChannelPreferencesRequest>,
    ) -> Answer<pb::UpdateChannelPreferencesResponse> {
        let api = self.clone();
        write(request, permit(Action::Chat), move |call| {
            update_channel_preferences::handle(api.clone(), call)
        })
        .await
    }
}

fn permit(action: Action) -> impl FnOnce(&Caller) -> bool {
    move |caller| access::permits(caller, action)
}

/// Counts what happened.
pub fn note(event: &str) {
    let transition = format!("collaboration.{event}");
    metrics::TRANSITIONS.add(1, &[KeyValue::new("transition", transition)]);
}

impl Api {
    async fn begin<M>(&self, call: &Call<M>) -> Result<Tx, Failure> {
        Ok(self.db.tx(&Scope::of(call)).await?)
    }

    fn cause<'a, M>(&self, call: &'a Call<M>, actor: &'a str) -> Cause<'a> {
        Cause {
            actor,
            request_id: &call.tag.request_id,
            time: self.clock.now(),
        }
    }

    /// Makes what was written durable, unless the call only asked whether it would work.
    async fn conclude<M: Mutation>(&self, tx: Tx, call: &Call<M>, happened: &[&str]) -> Result<(), Failure> {
        if call.message.validate_only() {
            return Ok(());
        }
        tx.commit().await?;
        for event in happened {
            note(event);
        }
        Ok(())
    }
}
