//! What a caller sees of offers and leads, and how their changes are concluded.

use cosell_events::Cause;
use cosell_grpc::{Call, Failure};
use cosell_proto::Mutation;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::{Scope, Tx};
use cosell_types::random;
use prost::Message as _;

use super::{Api, note, status};
use crate::domain::values::ReferralOfferState;
use crate::domain::{Event, Lead, LeadEvent, LeadId, Offer, access};
use crate::store;

/// The offer that a partner asks for, as far as it sees it, with what it may know of the deal: what was not answered in
/// time is gone, whether or not that was noted (REF-021).
pub async fn offered<M>(
    tx: &mut Tx,
    api: &Api,
    call: &Call<M>,
    id: &str,
) -> Result<(Offer, Option<Vec<u8>>), Failure> {
    let not_found = || status::offer_not_found(id);
    let referral_offer_id = id.parse().map_err(|_| not_found())?;
    let found = store::load_offer(tx, &call.member()?.account, &referral_offer_id).await?;
    let now = api.clock.now();
    found
        .filter(|(offer, _)| offer.state_at(now) != ReferralOfferState::Expired)
        .ok_or_else(not_found)
}

/// Saves what happened and makes it durable, unless the call only asked whether it would work.
pub async fn conclude<M: Mutation>(
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
    take_lead(&mut tx, offer, cause).await?;
    if call.message.validate_only() {
        return Ok(());
    }
    tx.commit().await?;
    note(event.name());
    tracing::info!(offer.id = %offer.id(), revision = offer.revision(), "offer {}", event.name());
    Ok(())
}

/// An id for the lead that may come of an offer.
pub fn new_lead_id() -> Result<LeadId, Failure> {
    random::prefixed("lead-").parse().map_err(Failure::internal)
}

/// Makes the lead of an offer of one that was just accepted (REF-050). Until then no partner reads all of it,
/// whatever a query asks, so the platform takes it over: the transaction is for that afterwards.
pub async fn take_lead(tx: &mut Tx, offer: &Offer, cause: Cause<'_>) -> Result<(), Failure> {
    if offer.lead().is_none() {
        return Ok(());
    }
    tx.act_for(&Scope::account(offer.account())).await?;
    let known = store::load_deal(tx, offer).await?;
    let known = known.ok_or_else(|| Failure::internal("an accepted offer without its lead"))?;
    let details = pb::LeadDetails::decode(known.as_slice()).map_err(Failure::internal)?;
    let (lead, event) = Lead::accepted(offer, details.interactions.len())
        .ok_or_else(|| Failure::internal("accepted, but no lead"))?;
    store::save_new_lead(tx, &lead, &known, &event, cause).await?;
    store::forget_deal(tx, offer).await?;
    Ok(())
}

/// A lead that the caller sees, with what is known of the customer (REF-055).
pub async fn led<M>(tx: &mut Tx, call: &Call<M>, id: &str) -> Result<(Lead, pb::LeadDetails), Failure> {
    let not_found = || status::lead_not_found(id);
    let lead_id = id.parse().map_err(|_| not_found())?;
    let member = call.member()?;
    let found = store::load_lead(tx, &member.account, &lead_id).await?;
    let (lead, details) = found
        .filter(|(lead, _)| access::sees(member, lead))
        .ok_or_else(not_found)?;
    let details = pb::LeadDetails::decode(details.as_slice()).map_err(Failure::internal)?;
    Ok((lead, details))
}

/// Saves what happened to a lead and makes it durable, unless the call only asked whether it would work.
pub async fn conclude_lead<M: Mutation>(
    mut tx: Tx,
    call: &Call<M>,
    lead: &Lead,
    details: &pb::LeadDetails,
    event: &LeadEvent,
) -> Result<(), Failure> {
    let actor = call.caller.actor();
    let cause = Cause {
        actor: &actor,
        request_id: &call.tag.request_id,
        time: lead.update_time(),
    };
    store::save_lead(&mut tx, lead, &details.encode_to_vec(), event, cause).await?;
    if call.message.validate_only() {
        return Ok(());
    }
    tx.commit().await?;
    note(&format!("lead_{}", event.name()));
    tracing::info!(lead.id = %lead.id(), revision = lead.revision(), "lead {}", event.name());
    Ok(())
}
