//! The RPCs: one file each, in which the handler is the use case. `<service>.rs` lists those of one
//! gRPC service.

mod accept_referral_offer;
mod batch_accept_referral_offers;
mod convert;
mod create;
mod get;
mod get_accepted;
mod get_converted;
mod get_offer;
mod lead_add_interaction;
mod lead_assign;
mod lead_convert;
mod lead_get;
mod lead_list;
mod lead_service;
mod lead_set_state;
mod list;
mod list_offers;
mod referral_internal_service;
mod referral_service;
mod reject_referral_offer;
mod status;
mod visible;

use std::sync::Arc;

use cosell_grpc::{Call, Failure, Peer};
use cosell_store::{Db, Scope, Tx};
use cosell_telemetry::metrics;
use cosell_types::{Caller, Clock};
use opentelemetry::KeyValue;
use tonic::{Response, Status};

use crate::domain::Calendar;
use crate::domain::access::{self, Action};

pub use create::{offer_to, payload_type};

/// What the use cases need.
#[derive(Clone)]
pub struct Api {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) opportunity: Peer,
    pub(crate) calendar: Arc<Calendar>,
    pub(crate) tier: i32,
}

/// Whose doing it is that offers are made, end, and are handed on.
pub const PLATFORM: &str = "service:referral";

type Answer<T> = Result<Response<T>, Status>;

fn permit(action: Action) -> impl FnOnce(&Caller) -> bool {
    move |caller| access::permits(caller, action)
}

/// Counts what happened.
pub fn note(event: &str) {
    metrics::TRANSITIONS.add(1, &[KeyValue::new("transition", format!("referral.{event}"))]);
}

impl Api {
    async fn begin<M>(&self, call: &Call<M>) -> Result<Tx, Failure> {
        Ok(self.db.tx(&Scope::of(call)).await?)
    }
}
