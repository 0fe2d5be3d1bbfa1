//! Between the interface and the domain.

use cosell_grpc::convert::timestamp;
use cosell_grpc::{Failure, etags};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_types::ClosedList as _;
use prost::Message as _;

use crate::domain::{Offer, Referral};

/// The referral as AWS sees it, with what it says and the offers made of it.
pub fn referral(referral: &Referral, content: &[u8], offers: &[Offer]) -> Result<pb::Referral, Failure> {
    let content = pb::Referral::decode(content).map_err(Failure::internal)?;
    let mut offers: Vec<_> = offers
        .iter()
        .filter(|offer| offer.referral() == referral.id())
        .collect();
    // Each was asked once, in this order.
    let place = |offer: &&Offer| {
        referral
            .receivers()
            .iter()
            .position(|asked| asked == offer.account())
    };
    offers.sort_by_key(place);
    Ok(pb::Referral {
        referral_id: referral.id().to_string(),
        etag: etags::of(referral.revision()),
        revision: referral.revision(),
        state: referral.state().number(),
        create_time: Some(timestamp(referral.create_time())),
        update_time: Some(timestamp(referral.update_time())),
        created_by: referral.created_by().to_string(),
        offers: offers.into_iter().map(offer_status).collect(),
        ..content
    })
}

fn offer_status(offer: &Offer) -> pb::ReferralOfferStatus {
    let answer = offer.answer();
    pb::ReferralOfferStatus {
        offer_id: offer.id().to_string(),
        account_id: offer.account().to_string(),
        state: offer.state().number(),
        offer_time: Some(timestamp(offer.offer_time())),
        expire_time: Some(timestamp(offer.expire_time())),
        answer_time: answer.map(|answer| timestamp(answer.time)),
        rejection_reason: answer
            .and_then(|answer| answer.reason)
            .map_or(0, |reason| reason.number()),
        rejection_text: answer
            .map(|answer| answer.text.reveal().clone())
            .unwrap_or_default(),
        opportunity_id: offer.opportunity().map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// The offer as the partner sees it.
pub fn offer(offer: &Offer, shown: Option<Vec<u8>>) -> Result<pb::ReferralOffer, Failure> {
    let shown = pb::ReferralOffer::decode(shown.unwrap_or_default().as_slice()).map_err(Failure::internal)?;
    let answer = offer.answer();
    Ok(pb::ReferralOffer {
        offer_id: offer.id().to_string(),
        etag: etags::of(offer.revision()),
        revision: offer.revision(),
        account_id: offer.account().to_string(),
        state: offer.state().number(),
        offer_time: Some(timestamp(offer.offer_time())),
        expire_time: Some(timestamp(offer.expire_time())),
        answer_time: answer.map(|answer| timestamp(answer.time)),
        answered_by: answer.map(|answer| answer.by.to_string()).unwrap_or_default(),
        rejection_reason: answer
            .and_then(|answer| answer.reason)
            .map_or(0, |reason| reason.number()),
        rejection_text: answer
            .map(|answer| answer.text.reveal().clone())
            .unwrap_or_default(),
        opportunity_id: offer.opportunity().map(|id| id.to_string()).unwrap_or_default(),
        ..shown
    })
}

/// The offer after the answer. A rehearsed acceptance names no opportunity: the real one draws another id.
pub fn answered(
    offer: &Offer,
    shown: Option<Vec<u8>>,
    is_rehearsed: bool,
) -> Result<pb::ReferralOffer, Failure> {
    let mut answer = self::offer(offer, shown)?;
    if is_rehearsed {
        answer.opportunity_id.clear();
    }
    Ok(answer)
}

/// What a partner may know of a referral before it accepts: the one place that decides it (REF-012).
pub fn shown(content: &pb::Referral, offer: &Offer) -> pb::ReferralOffer {
    let deal = content.opportunity.clone().unwrap_or_default();
    let account = deal
        .customer
        .and_then(|customer| customer.account)
        .unwrap_or_default();
    let address = account.address.unwrap_or_default();
    let project = deal.project.unwrap_or_default();
    let life_cycle = deal.life_cycle.unwrap_or_default();
    pb::ReferralOffer {
        message: content.message.clone(),
        receiver_responsibilities: content.receiver_responsibilities.clone(),
        sender_contacts: content.sender_contacts.iter().map(reachable).collect(),
        opportunity: Some(pb::OfferedOpportunity {
            customer_company_name: account.company_name,
            customer_website_url: account.website_url,
            country_code: address.country_code,
            postal_code: address.postal_code,
            industry: account.industry,
            opportunity_type: deal.opportunity_type,
            customer_use_case: project.customer_use_case,
            create_time: Some(timestamp(offer.offer_time())),
            title: project.title,
            customer_business_problem: project.customer_business_problem,
            next_steps: life_cycle.next_steps,
            delivery_models: project.delivery_models,
            expected_customer_spend: project
                .expected_customer_spend
                .into_iter()
                .filter_map(revenue)
                .collect(),
            target_close_date: life_cycle.target_close_date,
            lead_source: deal.lead_source,
            origin: opportunity::Origin::AwsReferral.into(),
        }),
        ..Default::default()
    }
}

/// Name, title and e-mail.
fn reachable(person: &opportunity::Contact) -> opportunity::Contact {
    opportunity::Contact {
        phone: String::new(),
        ..person.clone()
    }
}

/// What AWS would be paid; neither how it was reckoned, nor what others would be paid.
fn revenue(entry: opportunity::ExpectedCustomerSpend) -> Option<opportunity::ExpectedCustomerSpend> {
    let company = entry.target_company.trim();
    (company.is_empty() || company.eq_ignore_ascii_case("AWS")).then(|| opportunity::ExpectedCustomerSpend {
        estimation_url: String::new(),
        ..entry
    })
}
