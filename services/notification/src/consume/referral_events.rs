use chrono::DateTime;
use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::r#type::v1::PayloadType;
use prost_types::Timestamp;

use super::PreparedNotification;
use crate::domain::values::NotificationKind;
use crate::domain::{ReferralFacts, TemplateFacts};
use crate::store::RelatedRecords;

/// Notifies the partner of offers and of lead assignments, and AWS of the outcome of offers. The notifications contain
/// no data of the opportunity or lead.
pub fn prepare(delivery: &Delivery) -> Result<Option<PreparedNotification>, HandlerError> {
    if delivery.is::<pb::ReferralOfferCreated>() {
        let event: pb::ReferralOfferCreated = delivery.message()?;
        let payload = payload_name(event.payload_type());
        Ok(Some(offer_notification(
            NotificationKind::ReferralOfferCreated,
            event.referral_offer_id,
            payload,
            event.expire_time,
        )))
    } else if delivery.is::<pb::ReferralOfferExpiresSoon>() {
        let event: pb::ReferralOfferExpiresSoon = delivery.message()?;
        let payload = payload_name(event.payload_type());
        Ok(Some(offer_notification(
            NotificationKind::ReferralOfferExpiresSoon,
            event.referral_offer_id,
            payload,
            event.expire_time,
        )))
    } else if delivery.is::<pb::ReferralRouted>() {
        let event: pb::ReferralRouted = delivery.message()?;
        let outcome = match event.offer_state() {
            pb::ReferralOfferState::Expired => "an offer expired, and the next partner received one",
            _ => "a partner rejected the offer, and the next partner received one",
        };
        Ok(Some(answer_notification(
            event.referral_id,
            &event.created_by,
            outcome,
            String::new(),
        )))
    } else if delivery.is::<pb::ReferralAccepted>() {
        let event: pb::ReferralAccepted = delivery.message()?;
        Ok(Some(answer_notification(
            event.referral_id,
            &event.created_by,
            "a partner accepted the offer",
            event.opportunity_id,
        )))
    } else if delivery.is::<pb::ReferralExhausted>() {
        let event: pb::ReferralExhausted = delivery.message()?;
        Ok(Some(answer_notification(
            event.referral_id,
            &event.created_by,
            "no partner on the list accepted an offer",
            String::new(),
        )))
    } else if delivery.is::<pb::LeadAssigned>() {
        let event: pb::LeadAssigned = delivery.message()?;
        let facts = TemplateFacts {
            member: event.owner_member_id.clone(),
            referral: ReferralFacts {
                lead_id: event.lead_id,
                ..ReferralFacts::default()
            },
            ..TemplateFacts::default()
        };
        let owners = [
            event.previous_owner_member_id.as_str(),
            event.owner_member_id.as_str(),
        ];
        Ok(Some(notification(NotificationKind::LeadAssigned, &owners, facts)))
    } else {
        Ok(None)
    }
}

fn payload_name(payload_type: PayloadType) -> &'static str {
    match payload_type {
        PayloadType::LeadInvitation => "a lead",
        PayloadType::OpportunityInvitation | PayloadType::Unspecified => "an opportunity",
    }
}

fn offer_notification(
    kind: NotificationKind,
    offer_id: String,
    payload: &'static str,
    expire_time: Option<Timestamp>,
) -> PreparedNotification {
    let deadline = expire_time.and_then(|time| DateTime::from_timestamp(time.seconds, 0));
    let deadline = deadline.map(|time| time.format("%Y-%m-%d %H:%M UTC").to_string());
    notification(
        kind,
        &[],
        TemplateFacts {
            referral: ReferralFacts {
                offer_id,
                payload,
                deadline: deadline.unwrap_or_default(),
                ..ReferralFacts::default()
            },
            ..TemplateFacts::default()
        },
    )
}

fn answer_notification(
    referral_id: String,
    member: &str,
    outcome: &'static str,
    opportunity_id: String,
) -> PreparedNotification {
    notification(
        NotificationKind::ReferralAnswered,
        &[member],
        TemplateFacts {
            opportunity_id,
            referral: ReferralFacts {
                referral_id,
                outcome,
                ..ReferralFacts::default()
            },
            ..TemplateFacts::default()
        },
    )
}

fn notification(
    kind: NotificationKind,
    concerned_members: &[&str],
    facts: TemplateFacts,
) -> PreparedNotification {
    PreparedNotification {
        kind,
        related: RelatedRecords::default(),
        concerned_members: concerned_members
            .iter()
            .filter_map(|id| id.parse().ok())
            .collect(),
        contacts: Vec::new(),
        reviewer: None,
        facts,
    }
}
