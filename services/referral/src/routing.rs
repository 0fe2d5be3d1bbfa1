//! Routes a referral to a receiver by creating an offer.

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::Failure;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral::Payload;
use cosell_store::{Scope, Tx};
use cosell_types::{AccountId, random};
use prost::Message as _;

use crate::domain::values::PayloadType;
use crate::domain::{Calendar, Offer, OfferEvent, OfferId, Referral};
use crate::events::PLATFORM;
use crate::{convert, store};

/// Creates the offer of a referral to a receiver. The actor is the platform for every receiver, also the first one, so
/// that the event does not disclose the receiver's position (REF-011). Leaves the transaction in the scope of the
/// receiver.
pub async fn create_offer(
    tx: &mut Tx,
    (referral, content): (&Referral, &pb::Referral),
    receiver: AccountId,
    calendar: &Calendar,
    now: DateTime<Utc>,
) -> Result<Offer, Failure> {
    let id: OfferId = random::prefixed_digit("engi-")
        .parse()
        .map_err(Failure::internal)?;
    let payload = payload_type(content);
    let (offer, event) = Offer::create(id, receiver, referral, payload, calendar, now);
    insert_offer(tx, content, &offer, event).await?;
    Ok(offer)
}

async fn insert_offer(
    tx: &mut Tx,
    content: &pb::Referral,
    offer: &Offer,
    event: OfferEvent,
) -> Result<(), Failure> {
    let cause = Cause {
        actor: PLATFORM,
        request_id: offer.id().as_str(),
        time: offer.offer_time(),
    };
    tx.switch_scope(&Scope::account(offer.account())).await?;
    let excerpt = convert::offer_excerpt(content, offer).encode_to_vec();
    let content = match &content.payload {
        Some(Payload::Lead(lead)) => lead.encode_to_vec(),
        Some(Payload::Opportunity(opportunity)) => pb::GetAcceptedOpportunityResponse {
            opportunity: Some(opportunity.clone()),
            sender_contacts: content.sender_contacts.clone(),
        }
        .encode_to_vec(),
        None => return Err(Failure::internal("the validated referral has no payload")),
    };
    store::insert_offer(tx, offer, (&excerpt, &content), event, cause).await?;
    Ok(())
}

fn payload_type(content: &pb::Referral) -> PayloadType {
    match content.payload {
        Some(Payload::Lead(_)) => PayloadType::LeadInvitation,
        Some(Payload::Opportunity(_)) | None => PayloadType::OpportunityInvitation,
    }
}
