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
        let offer = OfferRef {
            account,
            payload_type: event.payload_type(),
            id: event.referral_offer_id,
            expire_time: event.expire_time,
        };
        prepare_offer(peers, NotificationKind::ReferralOfferCreated, offer).await?
    } else if delivery.is::<pb::ReferralOfferExpiresSoon>() {
        let event: pb::ReferralOfferExpiresSoon = delivery.message()?;
        let offer = OfferRef {
            account,
            payload_type: event.payload_type(),
            id: event.referral_offer_id,
            expire_time: event.expire_time,
        };
        prepare_offer(peers, NotificationKind::ReferralOfferExpiresSoon, offer).await?
    } else if delivery.is::<pb::ReferralRouted>() {
        let event: pb::ReferralRouted = delivery.message()?;
        let answer = Answer::Routed(event.offer_state());
        prepare_answer(
            peers,
            account,
            event.referral_id,
            &event.created_by,
            &event.referral_offer_id,
            answer,
        )
        .await?
    } else if delivery.is::<pb::ReferralAccepted>() {
        let event: pb::ReferralAccepted = delivery.message()?;
        let answer = Answer::Accepted(event.opportunity_id);
        prepare_answer(
            peers,
            account,
            event.referral_id,
            &event.created_by,
            &event.referral_offer_id,
            answer,
        )
        .await?
    } else if delivery.is::<pb::ReferralExhausted>() {
        let event: pb::ReferralExhausted = delivery.message()?;
        prepare_answer(
            peers,
            account,
            event.referral_id,
            &event.created_by,
            &event.referral_offer_id,
            Answer::Exhausted,
        )
        .await?
    } else if delivery.is::<pb::LeadAssigned>() {
        prepare_lead_assignment(peers, account, delivery.message()?).await?
    } else {
        return Ok(None);
    };
    Ok(Some(notification))
}

/// The offer of an event.
struct OfferRef<'a> {
    account: &'a str,
    id: String,
    payload_type: PayloadType,
    expire_time: Option<Timestamp>,
}

async fn prepare_offer(
    peers: &Peers,
    kind: NotificationKind,
    offer: OfferRef<'_>,
) -> Result<PreparedNotification, HandlerError> {
    let content = peers
        .find_referral_offer(offer.account, &offer.id)
        .await?
        .unwrap_or_default();
    let facts = TemplateFacts {
        project: match content.payload {
            Some(OfferPayload::Opportunity(opportunity)) => ProjectFacts {
                customer: opportunity.customer_company_name,
                title: opportunity.title,
            },
            Some(OfferPayload::Lead(lead)) => ProjectFacts {
                customer: lead.customer_company_name,
                title: String::new(),
            },
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
    Ok(PreparedNotification::new(kind, facts))
}

/// What became of an offer.
enum Answer {
    /// The next partner has an offer now; with the final state of the former offer.
    Routed(pb::ReferralOfferState),
    /// With the resulting opportunity, if there is one.
    Accepted(String),
    Exhausted,
}

/// Notifies the AWS member who created the referral.
async fn prepare_answer(
    peers: &Peers,
    account: &str,
    referral_id: String,
    created_by: &str,
    offer_id: &str,
    answer: Answer,
) -> Result<PreparedNotification, HandlerError> {
    let referral = peers
        .find_referral(account, &referral_id)
        .await?
        .unwrap_or_default();
    let mut offers = referral
        .offers
        .iter()
        .skip_while(|offer| offer.referral_offer_id != offer_id);
    let offer = offers.next().cloned().unwrap_or_default();
    let next = offers.next().cloned().unwrap_or_default();
    let partner = peers.company_name(&offer.account_id).await?;
    let next_partner = name_or(peers.company_name(&next.account_id).await?, "the next partner");
    let mut records = vec![RecordRef::Referral(referral_id)];
    let mut deadline = String::new();
    let outcome = match answer {
        Answer::Routed(state) => {
            deadline = convert::minute(next.expire_time.as_ref());
            match state {
                pb::ReferralOfferState::Expired => {
                    let partner = name_or(partner, "a partner");
                    format!("The offer to {partner} expired, and {next_partner} received one")
                }
                _ => {
                    let partner = name_or(partner, "A partner");
                    format!("{partner} rejected the offer, and {next_partner} received one")
                }
            }
        }
        Answer::Accepted(opportunity) => {
            if !opportunity.is_empty() {
                records.push(RecordRef::Opportunity(opportunity));
            }
            format!("{} accepted the offer", name_or(partner, "A partner"))
        }
        Answer::Exhausted => "No partner on the list accepted an offer".to_owned(),
    };
    let facts = TemplateFacts {
        records,
        project: match referral.payload {
            Some(Payload::Opportunity(opportunity)) => convert::project(&opportunity),
            Some(Payload::Lead(lead)) => ProjectFacts {
                customer: lead.customer_company_name,
                title: String::new(),
            },
            None => ProjectFacts::default(),
        },
        referral: ReferralFacts {
            outcome,
            deadline,
            reason: convert::rejection_reason(offer.rejection_reason, &offer.rejection_text),
            ..ReferralFacts::default()
        },
        ..TemplateFacts::default()
    };
    Ok(PreparedNotification {
        concerned_members: created_by.parse().into_iter().collect(),
        ..PreparedNotification::new(NotificationKind::ReferralAnswered, facts)
    })
}

/// The name, or a phrase for a name that is unknown.
fn name_or(name: String, unknown: &str) -> String {
    if name.is_empty() { unknown.to_owned() } else { name }
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
        project: ProjectFacts {
            customer: lead.details.unwrap_or_default().customer_company_name,
            title: String::new(),
        },
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
