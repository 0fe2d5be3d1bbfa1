//! Between the interface and the domain.

use cosell_grpc::convert::{time, timestamp};
use cosell_grpc::{Failure, etags};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::{referral as referral_pb, referral_offer};
use cosell_types::{ClosedList as _, FieldPath, Violation, ViolationCode};
use prost::Message as _;

use crate::domain::{Customer, Lead, Offer, Referral};

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
        referral_offer_id: offer.id().to_string(),
        account_id: offer.account().to_string(),
        state: offer.state().number(),
        create_time: Some(timestamp(offer.offer_time())),
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
        referral_offer_id: offer.id().to_string(),
        etag: etags::of(offer.revision()),
        revision: offer.revision(),
        account_id: offer.account().to_string(),
        state: offer.state().number(),
        create_time: Some(timestamp(offer.offer_time())),
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
        payload_type: offer.payload_type().number(),
        lead_id: offer.lead().map(ToString::to_string).unwrap_or_default(),
        ..shown
    })
}

/// The offer after the answer. A rehearsed acceptance names no opportunity and no lead: the real one draws another id.
pub fn answered(
    offer: &Offer,
    shown: Option<Vec<u8>>,
    is_rehearsed: bool,
) -> Result<pb::ReferralOffer, Failure> {
    let mut answer = self::offer(offer, shown)?;
    if is_rehearsed {
        answer.opportunity_id.clear();
        answer.lead_id.clear();
    }
    Ok(answer)
}

/// The lead as its partner sees it.
pub fn lead(lead: &Lead, details: pb::LeadDetails) -> pb::Lead {
    pb::Lead {
        lead_id: lead.id().to_string(),
        etag: etags::of(lead.revision()),
        revision: lead.revision(),
        account_id: lead.account().to_string(),
        referral_offer_id: lead.offer().to_string(),
        owner_member_id: lead.owner().to_string(),
        create_time: Some(timestamp(lead.create_time())),
        update_time: Some(timestamp(lead.update_time())),
        state: lead.state().number(),
        custom_state: lead.custom_state().reveal().clone(),
        details: Some(details),
        opportunity_id: lead.opportunity().map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// Writes what is known of a customer as it is kept, and returns what is wrong with it beyond its form (REF-050).
pub fn settle_lead(given: &mut pb::LeadDetails) -> Vec<Violation> {
    let root = FieldPath::root();
    let mut customer = customer(given);
    let mut found = customer.settle(&root.field("referral.lead"));
    write_customer(given, customer);
    for (index, interaction) in given.interactions.iter_mut().enumerate() {
        let field = format!("referral.lead.interactions[{index}]");
        found.extend(settle_interaction(interaction, &root.field(&field)));
    }
    found
}

/// Adds to what is known of a customer what the caller states at conversion, and returns what is wrong or not known
/// (REF-054).
pub fn complete_lead(known: &mut pb::LeadDetails, industry: &str, country: &str) -> Vec<Violation> {
    let mut customer = customer(known);
    let found = customer.complete(industry, country);
    write_customer(known, customer);
    found
}

fn customer(given: &pb::LeadDetails) -> Customer {
    let address = given.address.as_ref();
    Customer {
        industry: given.industry.clone(),
        country: address
            .map(|address| address.country_code.clone())
            .unwrap_or_default(),
        market_segment: given.market_segment.clone(),
        aws_maturity: given.aws_maturity.clone(),
    }
}

fn write_customer(details: &mut pb::LeadDetails, customer: Customer) {
    details.industry = customer.industry;
    details.market_segment = customer.market_segment;
    details.aws_maturity = customer.aws_maturity;
    if !customer.country.is_empty() {
        details.address.get_or_insert_default().country_code = customer.country;
    }
}

/// Writes something that a customer has done as it is kept, and returns whether its time is none (REF-052).
pub fn settle_interaction(given: &mut pb::LeadInteraction, at: &FieldPath<'_>) -> Option<Violation> {
    if let Some(contact) = &mut given.contact {
        contact.email = contact.email.to_lowercase();
    }
    let is_no_time = given.interaction_date.is_some_and(|given| time(&given).is_none());
    is_no_time.then(|| {
        let text = "is no time between the years 1 and 9999";
        Violation::new(&at.field("interaction_date"), ViolationCode::InvalidValue, text)
    })
}

/// What a partner may know of a referral before it accepts: the one place that decides it (REF-012, REF-051).
pub fn shown(content: &pb::Referral, offer: &Offer) -> pb::ReferralOffer {
    let said = pb::ReferralOffer {
        message: content.message.clone(),
        receiver_responsibilities: content.receiver_responsibilities.clone(),
        sender_contacts: content.sender_contacts.iter().map(reachable).collect(),
        ..Default::default()
    };
    let payload = content.payload.as_ref().map(|payload| match payload {
        referral_pb::Payload::Lead(lead) => referral_offer::Payload::Lead(shown_lead(lead)),
        referral_pb::Payload::Opportunity(opportunity) => {
            referral_offer::Payload::Opportunity(shown_opportunity(opportunity, offer))
        }
    });
    pb::ReferralOffer { payload, ..said }
}

/// What a partner may know of a lead before it accepts: of the people at the customer their titles only (REF-051).
fn shown_lead(lead: &pb::LeadDetails) -> pb::OfferedLead {
    let interactions = lead.interactions.iter().map(|known| pb::OfferedInteraction {
        source_type: known.source_type.clone(),
        source_name: known.source_name.clone(),
        customer_action: known.customer_action.clone(),
        business_problem: known.business_problem.clone(),
        use_case: known.use_case.clone(),
        interaction_date: known.interaction_date,
        contact_business_title: known
            .contact
            .as_ref()
            .map(|contact| contact.business_title.clone())
            .unwrap_or_default(),
    });
    pb::OfferedLead {
        customer_company_name: lead.customer_company_name.clone(),
        customer_website_url: lead.customer_website_url.clone(),
        country_code: customer(lead).country,
        industry: lead.industry.clone(),
        market_segment: lead.market_segment.clone(),
        aws_maturity: lead.aws_maturity.clone(),
        interactions: interactions.collect(),
    }
}

/// What a partner may know of an opportunity before it accepts (REF-012).
fn shown_opportunity(opportunity: &opportunity::Opportunity, offer: &Offer) -> pb::OfferedOpportunity {
    let deal = opportunity.clone();
    let account = deal
        .customer
        .and_then(|customer| customer.account)
        .unwrap_or_default();
    let address = account.address.unwrap_or_default();
    let project = deal.project.unwrap_or_default();
    let life_cycle = deal.life_cycle.unwrap_or_default();
    pb::OfferedOpportunity {
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
    }
}

/// Name, title and e-mail.
fn reachable(person: &opportunity::Contact) -> opportunity::Contact {
    opportunity::Contact {
        phone: String::new(),
        ..person.clone()
    }
}

/// What AWS would be paid; neither how it was reckoned, nor what others would be paid. An entry that only names its price
/// estimate says nothing then.
fn revenue(entry: opportunity::ExpectedCustomerSpend) -> Option<opportunity::ExpectedCustomerSpend> {
    let company = entry.target_company.trim();
    let is_of_aws = company.is_empty() || company.eq_ignore_ascii_case("AWS");
    (is_of_aws && entry.amount.is_some()).then(|| opportunity::ExpectedCustomerSpend {
        estimation_url: String::new(),
        ..entry
    })
}
