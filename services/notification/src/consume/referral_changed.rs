use chrono::DateTime;
use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::r#type::v1::PayloadType;
use prost_types::Timestamp;

use super::News;
use crate::domain::values::Kind;
use crate::domain::{Facts, Referral};
use crate::store::About;

/// What partners are told of offers and of leads that are given to others, and AWS of what became of offers; nothing
/// of the deal or lead itself, which is read where it is kept.
pub fn prepare(delivery: &Delivery) -> Result<Option<News>, Fault> {
    if delivery.is::<pb::ReferralOfferCreated>() {
        let event: pb::ReferralOfferCreated = delivery.message()?;
        let what = what(event.payload_type());
        Ok(Some(of_offer(
            Kind::ReferralOfferCreated,
            event.referral_offer_id,
            what,
            event.expire_time,
        )))
    } else if delivery.is::<pb::ReferralOfferExpiresSoon>() {
        let event: pb::ReferralOfferExpiresSoon = delivery.message()?;
        let what = what(event.payload_type());
        Ok(Some(of_offer(
            Kind::ReferralOfferExpiresSoon,
            event.referral_offer_id,
            what,
            event.expire_time,
        )))
    } else if delivery.is::<pb::ReferralRouted>() {
        let event: pb::ReferralRouted = delivery.message()?;
        let how = match event.offer_state() {
            pb::ReferralOfferState::Expired => "a partner has not answered, and the next one has it",
            _ => "a partner does not want it, and the next one has it",
        };
        Ok(Some(answered(
            event.referral_id,
            &event.created_by,
            how,
            String::new(),
        )))
    } else if delivery.is::<pb::ReferralAccepted>() {
        let event: pb::ReferralAccepted = delivery.message()?;
        Ok(Some(answered(
            event.referral_id,
            &event.created_by,
            "a partner has taken it",
            event.opportunity_id,
        )))
    } else if delivery.is::<pb::ReferralExhausted>() {
        let event: pb::ReferralExhausted = delivery.message()?;
        Ok(Some(answered(
            event.referral_id,
            &event.created_by,
            "no partner of the list has taken it",
            String::new(),
        )))
    } else if delivery.is::<pb::LeadAssigned>() {
        let event: pb::LeadAssigned = delivery.message()?;
        let facts = Facts {
            member: event.owner_member_id.clone(),
            referral: Referral {
                lead: event.lead_id,
                ..Referral::default()
            },
            ..Facts::default()
        };
        let own_of = [
            event.previous_owner_member_id.as_str(),
            event.owner_member_id.as_str(),
        ];
        Ok(Some(news(Kind::LeadAssigned, &own_of, facts)))
    } else {
        Ok(None)
    }
}

fn what(kind: PayloadType) -> &'static str {
    match kind {
        PayloadType::LeadInvitation => "lead",
        PayloadType::OpportunityInvitation | PayloadType::Unspecified => "deal",
    }
}

fn of_offer(kind: Kind, offer: String, what: &'static str, until: Option<Timestamp>) -> News {
    let until = until.and_then(|time| DateTime::from_timestamp(time.seconds, 0));
    let until = until.map(|time| time.format("%Y-%m-%d %H:%M UTC").to_string());
    news(
        kind,
        &[],
        Facts {
            referral: Referral {
                offer,
                what,
                until: until.unwrap_or_default(),
                ..Referral::default()
            },
            ..Facts::default()
        },
    )
}

fn answered(id: String, member: &str, how: &'static str, opportunity_id: String) -> News {
    news(
        Kind::ReferralAnswered,
        &[member],
        Facts {
            opportunity_id,
            referral: Referral {
                id,
                how,
                ..Referral::default()
            },
            ..Facts::default()
        },
    )
}

fn news(kind: Kind, own_of: &[&str], facts: Facts) -> News {
    News {
        kind,
        about: About {
            opportunity: None,
            invitation: None,
        },
        own_of: own_of.iter().filter_map(|id| id.parse().ok()).collect(),
        contacts: Vec::new(),
        reviewer: None,
        facts,
    }
}
