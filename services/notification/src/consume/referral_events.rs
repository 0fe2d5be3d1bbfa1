use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::r#type::v1::PayloadType;
use pb::referral::Payload;
use pb::referral_offer::Payload as OfferPayload;
use prost_types::Timestamp;

use super::{Dependencies, PreparedNotification};
use crate::convert;
use crate::domain::values::NotificationKind;
use crate::domain::{AssignmentFacts, ProjectFacts, RecordRef, ReferralFacts, TemplateFacts};
use crate::peers::Peers;

/// Notifies the partner of offers and of lead assignments, and AWS of the outcome of offers. The partner gets only what
/// it sees before it accepts (REF-012, REF-051).
pub async fn prepare(
    dependencies: &Dependencies,
    delivery: &Delivery,
) -> Result<Option<PreparedNotification>, HandlerError> {
    let (peers, account) = (&dependencies.peers, delivery.account.as_str());
    let notification = if delivery.is::<pb::ReferralOfferCreated>() {
        let event: pb::ReferralOfferCreated = delivery.message()?;
        let offer = Offer {
            kind: NotificationKind::ReferralOfferCreated,
            payload_type: event.payload_type(),
            id: event.referral_offer_id,
            expire_time: event.expire_time,
        };
        prepare_offer(peers, account, offer).await?
    } else if delivery.is::<pb::ReferralOfferExpiresSoon>() {
        let event: pb::ReferralOfferExpiresSoon = delivery.message()?;
        let offer = Offer {
            kind: NotificationKind::ReferralOfferExpiresSoon,
            payload_type: event.payload_type(),
            id: event.referral_offer_id,
            expire_time: event.expire_time,
        };
        prepare_offer(peers, account, offer).await?
    } else if delivery.is::<pb::ReferralRouted>() {
        let event: pb::ReferralRouted = delivery.message()?;
        let answer = Answer {
            outcome: Outcome::Routed(event.offer_state()),
            referral_id: event.referral_id,
            offer_id: event.referral_offer_id,
            created_by: event.created_by,
        };
        prepare_answer(peers, account, answer).await?
    } else if delivery.is::<pb::ReferralAccepted>() {
        let event: pb::ReferralAccepted = delivery.message()?;
        let answer = Answer {
            outcome: Outcome::Accepted(event.opportunity_id),
            referral_id: event.referral_id,
            offer_id: event.referral_offer_id,
            created_by: event.created_by,
        };
        prepare_answer(peers, account, answer).await?
    } else if delivery.is::<pb::ReferralExhausted>() {
        let event: pb::ReferralExhausted = delivery.message()?;
        let answer = Answer {
            outcome: Outcome::Exhausted(event.offer_state()),
            referral_id: event.referral_id,
            offer_id: event.referral_offer_id,
            created_by: event.created_by,
        };
        prepare_answer(peers, account, answer).await?
    } else if delivery.is::<pb::LeadAssigned>() {
        prepare_lead_assignment(peers, account, delivery.message()?).await?
    } else {
        return Ok(None);
    };
    Ok(Some(notification))
}

/// The offer of an event.
struct Offer {
    kind: NotificationKind,
    id: String,
    payload_type: PayloadType,
    expire_time: Option<Timestamp>,
}

async fn prepare_offer(
    peers: &Peers,
    account: &str,
    offer: Offer,
) -> Result<PreparedNotification, HandlerError> {
    let content = peers
        .find_referral_offer(account, &offer.id)
        .await?
        .unwrap_or_default();
    let facts = TemplateFacts {
        project: match content.payload {
            Some(OfferPayload::Opportunity(opportunity)) => ProjectFacts {
                customer: opportunity.customer_company_name,
                title: opportunity.title,
            },
            Some(OfferPayload::Lead(lead)) => lead_project(lead.customer_company_name),
            None => ProjectFacts::default(),
        },
        records: vec![RecordRef::ReferralOffer(offer.id)],
        referral: ReferralFacts {
            payload: match offer.payload_type {
                PayloadType::LeadInvitation => "a lead",
                PayloadType::OpportunityInvitation | PayloadType::Unspecified => "an opportunity",
            },
            deadline: convert::minute(offer.expire_time.as_ref()),
            message: content.message,
            contacts: convert::contacts(&content.sender_contacts),
            ..ReferralFacts::default()
        },
        ..TemplateFacts::default()
    };
    Ok(PreparedNotification::new(offer.kind, facts))
}

/// The answer to an offer, or its expiry.
struct Answer {
    referral_id: String,
    offer_id: String,
    created_by: String,
    outcome: Outcome,
}

enum Outcome {
    /// With the resulting opportunity; empty for a lead.
    Accepted(String),
    /// The next partner has an offer now. With the final state of the offer.
    Routed(pb::ReferralOfferState),
    /// No partner is left. With the final state of the last offer.
    Exhausted(pb::ReferralOfferState),
}

/// Notifies the AWS member who created the referral.
async fn prepare_answer(
    peers: &Peers,
    account: &str,
    answer: Answer,
) -> Result<PreparedNotification, HandlerError> {
    let referral = peers
        .find_referral(account, &answer.referral_id)
        .await?
        .unwrap_or_default();
    let offers = referral.offers.into_iter();
    let mut offers = offers.skip_while(|offer| offer.referral_offer_id != answer.offer_id);
    let offer = offers.next().unwrap_or_default();
    let partner = peers.company_name(&offer.account_id).await?;
    let mut records = vec![RecordRef::Referral(answer.referral_id)];
    let mut deadline = String::new();
    let outcome = match answer.outcome {
        Outcome::Accepted(opportunity) => {
            if !opportunity.is_empty() {
                records.push(RecordRef::Opportunity(opportunity));
            }
            format!("{} accepted the offer", name_or(partner, "A partner"))
        }
        Outcome::Routed(state) => {
            let next = offers.next().unwrap_or_default();
            deadline = convert::minute(next.expire_time.as_ref());
            let next_partner = name_or(peers.company_name(&next.account_id).await?, "the next partner");
            format!(
                "{}, and {next_partner} received one",
                end_of_offer(state, partner)
            )
        }
        Outcome::Exhausted(state) => {
            format!(
                "{}, and no partner is left on the list",
                end_of_offer(state, partner)
            )
        }
    };
    let facts = TemplateFacts {
        records,
        project: match referral.payload {
            Some(Payload::Opportunity(opportunity)) => convert::project(&opportunity),
            Some(Payload::Lead(lead)) => lead_project(lead.customer_company_name),
            None => ProjectFacts::default(),
        },
        referral: ReferralFacts {
            outcome,
            deadline,
            reason: convert::rejection_reason(offer.rejection_reason),
            explanation: offer.rejection_text,
            ..ReferralFacts::default()
        },
        ..TemplateFacts::default()
    };
    Ok(PreparedNotification {
        concerned_members: answer.created_by.parse().into_iter().collect(),
        ..PreparedNotification::new(NotificationKind::ReferralAnswered, facts)
    })
}

fn end_of_offer(state: pb::ReferralOfferState, partner: String) -> String {
    match state {
        pb::ReferralOfferState::Expired => format!("The offer to {} expired", name_or(partner, "a partner")),
        _ => format!("{} rejected the offer", name_or(partner, "A partner")),
    }
}

/// The name, or a phrase for a name that is unknown.
fn name_or(name: String, unknown: &str) -> String {
    if name.is_empty() { unknown.to_owned() } else { name }
}

/// A lead has no title.
fn lead_project(customer: String) -> ProjectFacts {
    ProjectFacts {
        customer,
        title: String::new(),
    }
}

async fn prepare_lead_assignment(
    peers: &Peers,
    account: &str,
    event: pb::LeadAssigned,
) -> Result<PreparedNotification, HandlerError> {
    let lead = peers
        .find_lead(account, &event.lead_id)
        .await?
        .unwrap_or_default();
    let owners = [&event.previous_owner_member_id, &event.owner_member_id];
    let facts = TemplateFacts {
        records: vec![RecordRef::Lead(event.lead_id.clone())],
        project: lead_project(lead.details.unwrap_or_default().customer_company_name),
        assignment: AssignmentFacts {
            owner: peers.member_name(account, &event.owner_member_id).await?,
            previous_owner: peers
                .member_name(account, &event.previous_owner_member_id)
                .await?,
        },
        ..TemplateFacts::default()
    };
    Ok(PreparedNotification {
        concerned_members: owners.into_iter().filter_map(|id| id.parse().ok()).collect(),
        ..PreparedNotification::new(NotificationKind::LeadAssigned, facts)
    })
}
