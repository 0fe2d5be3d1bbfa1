//! Public events: the one place where what happened inside becomes what others are told.

use cosell_events::{About, Cause, Event as Published};
use cosell_grpc::convert::timestamp;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_types::ClosedList as _;

use crate::domain::{Event, Lead, LeadEvent, Offer, Referral, ReferralEvent};

/// The name of this context in subjects.
pub const CONTEXT: &str = "referral";

/// The public form of what happened to an offer, for the partner.
pub fn of_offer(offer: &Offer, event: Event, cause: Cause<'_>) -> Published {
    let about = About {
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
    let member_id = answer.map(|answer| answer.by.to_string()).unwrap_or_default();
    match event {
        Event::Offered => {
            let message = pb::ReferralOfferCreated {
                referral_offer_id,
                account_id,
                revision,
                expire_time,
                payload_type,
            };
            Published::new(about, cause, &message)
        }
        Event::ExpiresSoon => {
            let message = pb::ReferralOfferExpiresSoon {
                referral_offer_id,
                account_id,
                revision,
                expire_time,
                payload_type,
            };
            Published::new(about, cause, &message)
        }
        Event::Accepted => {
            let message = pb::ReferralOfferAccepted {
                referral_offer_id,
                account_id,
                revision,
                answered_by: member_id,
                opportunity_id: opportunity(offer),
                lead_id: offer.lead().map(ToString::to_string).unwrap_or_default(),
                expire_time,
                payload_type,
            };
            Published::new(about, cause, &message)
        }
        Event::Rejected => {
            let reason = answer.and_then(|answer| answer.reason);
            let message = pb::ReferralOfferRejected {
                referral_offer_id,
                account_id,
                revision,
                answered_by: member_id,
                reason: reason.map_or(0, |reason| reason.number()),
                expire_time,
                payload_type,
            };
            Published::new(about, cause, &message)
        }
        Event::Expired => {
            let message = pb::ReferralOfferExpired {
                referral_offer_id,
                account_id,
                revision,
                expire_time,
                payload_type,
            };
            Published::new(about, cause, &message)
        }
    }
}

/// The public form of what happened to a referral, for AWS; `ended` is the offer by whose end it came.
pub fn of_referral(
    referral: &Referral,
    event: ReferralEvent,
    ended: Option<&Offer>,
    cause: Cause<'_>,
) -> Published {
    let about = About {
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
    let referral_offer_id = ended.map(|offer| offer.id().to_string()).unwrap_or_default();
    let offer_state = ended.map_or(0, |offer| offer.state().number());
    match event {
        ReferralEvent::Created => {
            let message = pb::ReferralCreated {
                referral_id,
                account_id,
                revision,
                created_by: member_id,
            };
            Published::new(about, cause, &message)
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
            Published::new(about, cause, &message)
        }
        ReferralEvent::Accepted => {
            let message = pb::ReferralAccepted {
                referral_id,
                account_id,
                revision,
                created_by: member_id,
                referral_offer_id,
                opportunity_id: ended.map(opportunity).unwrap_or_default(),
            };
            Published::new(about, cause, &message)
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
            Published::new(about, cause, &message)
        }
    }
}

/// The public form of what happened to a lead, for the partner.
pub fn of_lead(lead: &Lead, event: &LeadEvent, cause: Cause<'_>) -> Published {
    let about = About {
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
            Published::new(about, cause, &message)
        }
        LeadEvent::StateChanged => {
            let message = pb::LeadStateChanged {
                lead_id,
                account_id,
                revision,
                state: lead.state().number(),
            };
            Published::new(about, cause, &message)
        }
        LeadEvent::InteractionAdded => {
            let message = pb::LeadInteractionAdded {
                lead_id,
                account_id,
                revision,
            };
            Published::new(about, cause, &message)
        }
        LeadEvent::Assigned { from } => {
            let message = pb::LeadAssigned {
                lead_id,
                account_id,
                revision,
                previous_owner_member_id: from.to_string(),
                owner_member_id: lead.owner().to_string(),
            };
            Published::new(about, cause, &message)
        }
        LeadEvent::Converted { by } => {
            let message = pb::LeadConverted {
                lead_id,
                account_id,
                revision,
                converted_by: by.to_string(),
                opportunity_id: lead.opportunity().map(|id| id.to_string()).unwrap_or_default(),
            };
            Published::new(about, cause, &message)
        }
    }
}

fn opportunity(offer: &Offer) -> String {
    offer.opportunity().map(|id| id.to_string()).unwrap_or_default()
}
