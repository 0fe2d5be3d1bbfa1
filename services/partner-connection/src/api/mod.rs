//! The RPC handlers, one a file with the name of its RPC. `<service>.rs` lists the RPCs of one gRPC service with the
//! permission that each requires.

mod accept_connection_invitation;
mod accept_membership;
mod accept_terms;
mod account_service;
mod apply_directory;
mod cancel_connection;
mod cancel_connection_invitation;
mod connection_service;
mod create_connection_invitation;
mod deactivate_member;
mod get_account;
mod get_connection;
mod get_connection_invitation;
mod get_connection_preferences;
mod get_member;
mod get_partner;
mod invite_member;
mod list_assignable_members;
mod list_connection_invitations;
mod list_connections;
mod list_members;
mod list_partners;
mod member_service;
mod reject_connection_invitation;
mod set_member_roles;
mod set_profile_visibility;
mod transfer_alliance_lead;
mod update_connection_preferences;
mod update_member;
mod update_profile;

use std::sync::Arc;

use cosell_store::Db;
use cosell_types::{Caller, Clock, ServiceName};
use tonic::{Response, Status};

use crate::domain::Quotas;
use crate::domain::access::{self, Action};

/// The dependencies of the handlers.
#[derive(Clone)]
pub struct Api {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) quotas: Quotas,
    /// The services that may call ApplyDirectory.
    pub(crate) provisioners: Arc<[ServiceName]>,
}

type RpcResult<T> = Result<Response<T>, Status>;

fn permit(action: Action) -> impl FnOnce(&Caller) -> bool {
    move |caller| access::permits(caller, action)
}
