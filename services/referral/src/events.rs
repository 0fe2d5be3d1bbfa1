//! Converts domain events to the published events of this context.

use cosell_events::{AggregateRef, Cause, Event as PublishedEvent};
use cosell_grpc::convert::timestamp;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_types::ClosedList as _;

use crate::domain::{Lead, LeadEvent, Offer, OfferEvent, Referral, ReferralEvent};

/// The name of this context in subjects.
pub const CONTEXT: &str = "referral";

/// The actor of offers, expiries and routing, which the platform does without a caller.
pub const PLATFORM: &str = "service:referral";

/// The published event of a change of an offer, in the scope of the partner account.
pub fn offer_event(offer: &Offer, event: OfferEvent, cause: Cause<'_>) -> PublishedEvent {
    let aggregate = AggregateRef {
        context: CONTEXT,
        aggregate: "referral_offer",
        account: offer.account(),
        id: offer.id().as_str(),
        version: offer.revision(),
    };
    let referral_offer_id = offer.id().to_string();
    let account_id = offer.account().to_string();
    let revision = offer.revision();
    let expire_time = Some(timestamp(offer.expire_time()));
    let payload_type = offer.payload_type().number();
    let answer = offer.answer();
    let member_id = answer
        .map(|answer| answer.answered_by.to_string())
        .unwrap_or_default();
    match event {
        OfferEvent::Offered => {
            let message = pb::ReferralOfferCreated {
                referral_offer_id,
                account_id,
                revision,
                expire_time,
                payload_type,
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        OfferEvent::ExpiresSoon => {
            let message = pb::ReferralOfferExpiresSoon {
                referral_offer_id,
                account_id,
                revision,
                expire_time,
                payload_type,
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        OfferEvent::Accepted => {
            let message = pb::ReferralOfferAccepted {
                referral_offer_id,
                account_id,
                revision,
                answered_by: member_id,
                opportunity_id: opportunity_id(offer),
                lead_id: offer.lead().map(ToString::to_string).unwrap_or_default(),
                expire_time,
                payload_type,
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        OfferEvent::Rejected => {
            let reason = answer.and_then(|answer| answer.rejection_reason);
            let message = pb::ReferralOfferRejected {
                referral_offer_id,
                account_id,
                revision,
                answered_by: member_id,
                reason: reason.map_or(0, |reason| reason.number()),
                expire_time,
                payload_type,
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        OfferEvent::Expired => {
            let message = pb::ReferralOfferExpired {
                referral_offer_id,
                account_id,
                revision,
                expire_time,
                payload_type,
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
    }
}

/// The published event of a change of a referral, in the scope of the AWS account. `closed_offer` is the offer that
/// caused the change; `None` for the creation.
pub fn referral_event(
    referral: &Referral,
    event: ReferralEvent,
    closed_offer: Option<&Offer>,
    cause: Cause<'_>,
) -> PublishedEvent {
    let aggregate = AggregateRef {
        context: CONTEXT,
        aggregate: "referral",
        account: referral.account(),
        id: referral.id().as_str(),
        version: referral.revision(),
    };
    let referral_id = referral.id().to_string();
    let account_id = referral.account().to_string();
    let revision = referral.revision();
    let member_id = referral.created_by().to_string();
    let referral_offer_id = closed_offer
        .map(|offer| offer.id().to_string())
        .unwrap_or_default();
    let offer_state = closed_offer.map_or(0, |offer| offer.state().number());
    match event {
        ReferralEvent::Created => {
            let message = pb::ReferralCreated {
                referral_id,
                account_id,
                revision,
                created_by: member_id,
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        ReferralEvent::Routed => {
            let message = pb::ReferralRouted {
                referral_id,
                account_id,
                revision,
                created_by: member_id,
                referral_offer_id,
                offer_state,
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        ReferralEvent::Accepted => {
            let message = pb::ReferralAccepted {
                referral_id,
                account_id,
                revision,
                created_by: member_id,
                referral_offer_id,
                opportunity_id: closed_offer.map(opportunity_id).unwrap_or_default(),
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        ReferralEvent::Exhausted => {
            let message = pb::ReferralExhausted {
                referral_id,
                account_id,
                revision,
                created_by: member_id,
                referral_offer_id,
                offer_state,
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
    }
}

/// The published event of a change of a lead, in the scope of the partner account.
pub fn lead_event(lead: &Lead, event: &LeadEvent, cause: Cause<'_>) -> PublishedEvent {
    let aggregate = AggregateRef {
        context: CONTEXT,
        aggregate: "lead",
        account: lead.account(),
        id: lead.id().as_str(),
        version: lead.revision(),
    };
    let lead_id = lead.id().to_string();
    let account_id = lead.account().to_string();
    let revision = lead.revision();
    match event {
        LeadEvent::Accepted => {
            let message = pb::LeadAccepted {
                lead_id,
                account_id,
                revision,
                owner_member_id: lead.owner().to_string(),
                referral_offer_id: lead.offer().to_string(),
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        LeadEvent::StateChanged => {
            let message = pb::LeadStateChanged {
                lead_id,
                account_id,
                revision,
                state: lead.state().number(),
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        LeadEvent::InteractionAdded => {
            let message = pb::LeadInteractionAdded {
                lead_id,
                account_id,
                revision,
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        LeadEvent::Assigned { from } => {
            let message = pb::LeadAssigned {
                lead_id,
                account_id,
                revision,
                previous_owner_member_id: from.to_string(),
                owner_member_id: lead.owner().to_string(),
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
        LeadEvent::Converted { by } => {
            let message = pb::LeadConverted {
                lead_id,
                account_id,
                revision,
                converted_by: by.to_string(),
                opportunity_id: lead.opportunity().map(|id| id.to_string()).unwrap_or_default(),
            };
            PublishedEvent::new(aggregate, cause, &message)
        }
    }
}

fn opportunity_id(offer: &Offer) -> String {
    offer.opportunity().map(|id| id.to_string()).unwrap_or_default()
}
