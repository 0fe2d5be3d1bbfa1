//! The write frame of calls: claim the request id, load the record that is visible to the caller, answer a replay,
//! check the etag, apply the domain, save, commit. Handlers supply only the domain part.

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::Mutation;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::{Claim, Db, Scope, Tx, begin, claim, commit};
use cosell_types::random;
use prost::Message as _;

use crate::domain::{Lead, LeadEvent, LeadId, Offer, OfferEvent};
use crate::events::CONTEXT;
use crate::load::{LoadedLead, LoadedOffer, load_lead, load_offer};
use crate::store;

/// An aggregate that [`change`] loads and saves.
pub trait Aggregate: Sized {
    type Event;

    async fn load<M>(tx: &mut Tx, call: &Call<M>, id: &str, now: DateTime<Utc>) -> Result<Self, Failure>;
    fn revision(&self) -> i64;
    /// Saves the aggregate with its event. Returns the name of the transition.
    async fn save<M>(&self, tx: &mut Tx, call: &Call<M>, event: &Self::Event) -> Result<String, Failure>;
}

/// Changes the aggregate with this id. `apply` returns no event when nothing changes; a replay returns the current
/// state without running it. Concurrent changes are detected by revision when the aggregate is saved.
pub async fn change<A: Aggregate, M: Mutation>(
    db: &Db,
    call: &Call<M>,
    (id, etag): (&str, &str),
    now: DateTime<Utc>,
    apply: impl AsyncFnOnce(&mut Tx, &mut A) -> Result<Option<A::Event>, Failure>,
) -> Result<A, Failure> {
    let mut tx = begin(db, call).await?;
    let claimed = claim(&mut tx, call, id).await?;
    let mut aggregate = A::load(&mut tx, call, id, now).await?;
    if claimed != Claim::New {
        return Ok(aggregate);
    }
    etags::check(etag, aggregate.revision())?;
    if let Some(event) = apply(&mut tx, &mut aggregate).await? {
        let transition = aggregate.save(&mut tx, call, &event).await?;
        if commit(tx, call, CONTEXT, &[&transition]).await? {
            let revision = aggregate.revision();
            tracing::info!(id, revision, transition, "referral record changed");
        }
    }
    Ok(aggregate)
}

impl Aggregate for LoadedOffer {
    type Event = OfferEvent;

    async fn load<M>(tx: &mut Tx, call: &Call<M>, id: &str, now: DateTime<Utc>) -> Result<Self, Failure> {
        load_offer(tx, call, id, now).await
    }

    fn revision(&self) -> i64 {
        self.offer.revision()
    }

    async fn save<M>(&self, tx: &mut Tx, call: &Call<M>, event: &OfferEvent) -> Result<String, Failure> {
        let cause = Cause::of(call, self.offer.update_time());
        store::save_offer(tx, &self.offer, *event, cause).await?;
        create_accepted_lead(tx, &self.offer, cause).await?;
        Ok(event.name().to_owned())
    }
}

impl Aggregate for LoadedLead {
    type Event = LeadEvent;

    async fn load<M>(tx: &mut Tx, call: &Call<M>, id: &str, _: DateTime<Utc>) -> Result<Self, Failure> {
        load_lead(tx, call, id).await
    }

    fn revision(&self) -> i64 {
        self.lead.revision()
    }

    async fn save<M>(&self, tx: &mut Tx, call: &Call<M>, event: &LeadEvent) -> Result<String, Failure> {
        let cause = Cause::of(call, self.lead.update_time());
        store::save_lead(tx, &self.lead, &self.details.encode_to_vec(), event, cause).await?;
        Ok(format!("lead_{}", event.name()))
    }
}

/// Generates the id for the lead that an acceptance may create.
pub fn new_lead_id() -> Result<LeadId, Failure> {
    random::prefixed("lead-").parse().map_err(Failure::internal)
}

/// Creates the lead of an offer that was just accepted, if it offers a lead (REF-050). Row-level security hides the
/// complete content of an offer from partners, so the platform copies it to the lead. Leaves the transaction in the
/// scope of the partner account.
pub async fn create_accepted_lead(tx: &mut Tx, offer: &Offer, cause: Cause<'_>) -> Result<(), Failure> {
    if offer.lead().is_none() {
        return Ok(());
    }
    tx.switch_scope(&Scope::account(offer.account())).await?;
    let content = store::load_content(tx, offer).await?;
    let content = content.ok_or_else(|| Failure::internal("the accepted offer has no content"))?;
    let details = pb::LeadDetails::decode(content.as_slice()).map_err(Failure::internal)?;
    let (lead, event) = Lead::accepted(offer, details.interactions.len())
        .ok_or_else(|| Failure::internal("the accepted offer creates no lead"))?;
    store::insert_lead(tx, &lead, &content, &event, cause).await?;
    store::delete_content(tx, offer).await?;
    Ok(())
}
