//! The RPCs: one file each, in which the handler is the use case. Every line below names the RPC, what access it
//! needs, and its file.

mod accept;
mod accept_many;
mod convert;
mod create;
mod get;
mod get_accepted;
mod get_offer;
mod list;
mod list_offers;
mod reject;
mod status;

use std::sync::Arc;

use cosell_events::Cause;
use cosell_grpc::{Call, Failure, Peer, read, write};
use cosell_proto::Mutation;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral_service_server::ReferralService;
use cosell_store::{Db, Scope, Tx};
use cosell_telemetry::metrics;
use cosell_types::{Caller, Clock};
use opentelemetry::KeyValue;
use tonic::{Request, Response, Status};

use crate::domain::access::{self, Action};
use crate::domain::values::OfferState;
use crate::domain::{Calendar, Event, Offer};
use crate::store;

pub use create::offer_to;

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

#[tonic::async_trait]
impl ReferralService for Api {
    async fn create_referral(
        &self,
        request: Request<pb::CreateReferralRequest>,
    ) -> Answer<pb::CreateReferralResponse> {
        let api = self.clone();
        write(request, permit(Action::Refer), move |call| {
            create::handle(api.clone(), call)
        })
        .await
    }

    async fn get_referral(
        &self,
        request: Request<pb::GetReferralRequest>,
    ) -> Answer<pb::GetReferralResponse> {
        read(request, permit(Action::Refer), |call| get::handle(self, call)).await
    }

    async fn list_referrals(
        &self,
        request: Request<pb::ListReferralsRequest>,
    ) -> Answer<pb::ListReferralsResponse> {
        read(request, permit(Action::Refer), |call| list::handle(self, call)).await
    }

    async fn get_referral_offer(
        &self,
        request: Request<pb::GetReferralOfferRequest>,
    ) -> Answer<pb::GetReferralOfferResponse> {
        read(request, permit(Action::Answer), |call| {
            get_offer::handle(self, call)
        })
        .await
    }

    async fn list_referral_offers(
        &self,
        request: Request<pb::ListReferralOffersRequest>,
    ) -> Answer<pb::ListReferralOffersResponse> {
        read(request, permit(Action::Answer), |call| {
            list_offers::handle(self, call)
        })
        .await
    }

    async fn accept_referral(
        &self,
        request: Request<pb::AcceptReferralRequest>,
    ) -> Answer<pb::AcceptReferralResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            accept::handle(api.clone(), call)
        })
        .await
    }

    async fn accept_referrals(
        &self,
        request: Request<pb::AcceptReferralsRequest>,
    ) -> Answer<pb::AcceptReferralsResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            accept_many::handle(api.clone(), call)
        })
        .await
    }

    async fn reject_referral(
        &self,
        request: Request<pb::RejectReferralRequest>,
    ) -> Answer<pb::RejectReferralResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            reject::handle(api.clone(), call)
        })
        .await
    }

    async fn get_accepted_opportunity(
        &self,
        request: Request<pb::GetAcceptedOpportunityRequest>,
    ) -> Answer<pb::GetAcceptedOpportunityResponse> {
        read(request, permit(Action::ReadDeal), |call| {
            get_accepted::handle(self, call)
        })
        .await
    }
}

fn permit(action: Action) -> impl FnOnce(&Caller) -> bool {
    move |caller| access::permits(caller, action)
}

/// The offer that a partner asks for, as far as it sees it, with what it may know of the deal: what was not answered in
/// time is gone, whether or not that was noted (REF-021).
async fn offered<M>(
    tx: &mut Tx,
    api: &Api,
    call: &Call<M>,
    id: &str,
) -> Result<(Offer, Option<Vec<u8>>), Failure> {
    let not_found = || status::offer_not_found(id);
    let offer_id = id.parse().map_err(|_| not_found())?;
    let found = store::load_offer(tx, &call.member()?.account, &offer_id).await?;
    let now = api.clock.now();
    found
        .filter(|(offer, _)| offer.state_at(now) != OfferState::Expired)
        .ok_or_else(not_found)
}

/// Saves what happened and makes it durable, unless the call only asked whether it would work.
async fn conclude<M: Mutation>(
    mut tx: Tx,
    call: &Call<M>,
    offer: &Offer,
    event: Event,
) -> Result<(), Failure> {
    let actor = call.caller.actor();
    let cause = Cause {
        actor: &actor,
        request_id: &call.tag.request_id,
        time: offer.update_time(),
    };
    store::save_offer(&mut tx, offer, event, cause).await?;
    if call.message.validate_only() {
        return Ok(());
    }
    tx.commit().await?;
    note(event.name());
    tracing::info!(offer.id = %offer.id(), revision = offer.revision(), "offer {}", event.name());
    Ok(())
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
