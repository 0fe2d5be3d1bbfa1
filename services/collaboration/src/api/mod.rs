//! The RPCs: one handler per file, named after its RPC. `<service>.rs` lists the RPCs of a gRPC service with the access
//! that each requires.

mod accept_engagement_invitation;
mod add_channel_members;
mod approve_channel;
mod archive_channel;
mod cancel_engagement_invitation;
mod channel_service;
mod collaboration_internal_service;
mod collaboration_service;
mod create_engagement_context;
mod create_snapshot_job;
mod decline_channel;
mod delete_snapshot_job;
mod get_channel;
mod get_channel_invitation;
mod get_channel_preferences;
mod get_engagement;
mod get_engagement_invitation;
mod get_engagement_invitation_for_account;
mod get_resource_snapshot;
mod get_snapshot_job;
mod join_channel;
mod leave_channel;
mod leave_engagement;
mod list_channels;
mod list_engagement_invitations;
mod list_engagement_members;
mod list_engagement_resources;
mod list_engagements;
mod list_resource_snapshots;
mod list_snapshot_jobs;
mod reject_engagement_invitation;
mod remove_engagement_member;
mod request_channel;
mod share_opportunity;
mod snapshot_service;
mod start_snapshot_job;
mod stop_snapshot_job;
mod update_channel_preferences;
mod update_engagement_context;

use std::sync::Arc;

use cosell_grpc::Peer;
use cosell_store::Db;
use cosell_types::{Caller, Clock};
use tonic::{Response, Status};

use crate::channel_changes::ChannelChanges;
use crate::domain::ChannelPolicy;
use crate::domain::access::{self, Action};
use crate::domain::values::ChannelProvider;
use crate::links::ChannelLinks;

/// The dependencies of the handlers.
#[derive(Clone)]
pub struct Api {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) opportunity: Peer,
    pub(crate) directory: Peer,
    /// Days until an engagement invitation expires.
    pub(crate) invitation_days: u32,
    pub(crate) channel_policy: Arc<ChannelPolicy>,
    pub(crate) channel_provider: ChannelProvider,
    /// `None` if the operator configures no links.
    pub(crate) channel_links: Option<ChannelLinks>,
    pub(crate) channel_changes: ChannelChanges,
}

type RpcResult<T> = Result<Response<T>, Status>;

fn permit(action: Action) -> impl FnOnce(&Caller) -> bool {
    move |caller| access::permits(caller, action)
}
