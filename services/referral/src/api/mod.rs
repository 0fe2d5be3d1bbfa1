//! The RPCs: one handler a file, named after its RPC. `<service>.rs` lists the RPCs of a gRPC service with the access
//! that each requires.

mod accept_referral_offer;
mod add_lead_interaction;
mod assign_lead;
mod batch_accept_referral_offers;
mod convert_lead;
mod create_referral;
mod get_accepted_opportunity;
mod get_converted_lead;
mod get_lead;
mod get_lead_for_account;
mod get_referral;
mod get_referral_for_account;
mod get_referral_offer;
mod get_referral_offer_for_account;
mod lead_service;
mod list_leads;
mod list_referral_offers;
mod list_referrals;
mod referral_internal_service;
mod referral_service;
mod reject_referral_offer;
mod set_lead_state;

use std::sync::Arc;

use cosell_grpc::Peer;
use cosell_store::Db;
use cosell_types::{Caller, Clock};
use tonic::{Response, Status};

use crate::domain::Calendar;
use crate::domain::access::{self, Action};

/// The dependencies of the handlers.
#[derive(Clone)]
pub struct Api {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) opportunity: Peer,
    pub(crate) calendar: Arc<Calendar>,
    /// The lowest partner tier that is eligible for referrals.
    pub(crate) min_tier: i32,
}

type RpcResult<T> = Result<Response<T>, Status>;

fn permit(action: Action) -> impl FnOnce(&Caller) -> bool {
    move |caller| access::permits(caller, action)
}
