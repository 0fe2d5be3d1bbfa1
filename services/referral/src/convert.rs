//! Converts between messages and the domain.

use cosell_grpc::convert::{time, timestamp};
use cosell_grpc::{Failure, etags};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::OpportunityType;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::{referral as referral_pb, referral_offer};
use cosell_types::{ClosedList as _, FieldPath, Violation, ViolationCode, comparable_email};
use prost::Message as _;

use crate::domain::{Customer, Lead, Offer, Referral};

/// The referral as visible to AWS: with its content and its offers.
pub fn referral(referral: &Referral, content: &[u8], offers: &[Offer]) -> Result<pb::Referral, Failure> {
    let content = pb::Referral::decode(content).map_err(Failure::internal)?;
    let mut offers: Vec<_> = offers
        .iter()
        .filter(|offer| offer.referral() == referral.id())
        .collect();
    // A receiver gets at most one offer.
    let position = |offer: &&Offer| {
        referral
            .receivers()
            .iter()
            .position(|receiver| receiver == offer.account())
    };
    offers.sort_by_key(position);
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
        answer_time: answer.map(|answer| timestamp(answer.answer_time)),
        rejection_reason: answer
            .and_then(|answer| answer.rejection_reason)
            .map_or(0, |reason| reason.number()),
        rejection_text: answer
            .map(|answer| answer.rejection_text.reveal().clone())
            .unwrap_or_default(),
        opportunity_id: offer.opportunity().map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// The offer as visible to its receiver. `excerpt` is the encoded result of [`offer_excerpt`], `None` once the content
/// is no longer visible.
pub fn offer(offer: &Offer, excerpt: Option<Vec<u8>>) -> Result<pb::ReferralOffer, Failure> {
    let excerpt = excerpt.unwrap_or_default();
    let mut excerpt = pb::ReferralOffer::decode(excerpt.as_slice()).map_err(Failure::internal)?;
    if let Some(referral_offer::Payload::Opportunity(opportunity)) = &mut excerpt.payload {
        set_default_type(opportunity);
    }
    let answer = offer.answer();
    Ok(pb::ReferralOffer {
        referral_offer_id: offer.id().to_string(),
        etag: etags::of(offer.revision()),
        revision: offer.revision(),
        account_id: offer.account().to_string(),
        state: offer.state().number(),
        create_time: Some(timestamp(offer.offer_time())),
        expire_time: Some(timestamp(offer.expire_time())),
        answer_time: answer.map(|answer| timestamp(answer.answer_time)),
        answered_by: answer
            .map(|answer| answer.answered_by.to_string())
            .unwrap_or_default(),
        rejection_reason: answer
            .and_then(|answer| answer.rejection_reason)
            .map_or(0, |reason| reason.number()),
        rejection_text: answer
            .map(|answer| answer.rejection_text.reveal().clone())
            .unwrap_or_default(),
        opportunity_id: offer.opportunity().map(|id| id.to_string()).unwrap_or_default(),
        payload_type: offer.payload_type().number(),
        lead_id: offer.lead().map(ToString::to_string).unwrap_or_default(),
        ..excerpt
    })
}

/// Sets the type that an opportunity without one gets (OPP-004). Excerpts of earlier releases have the type that AWS
/// stated, which may be none (REF-012).
fn set_default_type(opportunity: &mut pb::OfferedOpportunity) {
    if opportunity.opportunity_type == i32::from(OpportunityType::Unspecified) {
        opportunity.set_opportunity_type(OpportunityType::NetNewBusiness);
    }
}

/// The offer after its acceptance. A dry run returns no id of an opportunity or lead, because the actual call generates
/// another one.
pub fn accepted_offer(
    offer: &Offer,
    excerpt: Option<Vec<u8>>,
    validate_only: bool,
) -> Result<pb::ReferralOffer, Failure> {
    let mut message = self::offer(offer, excerpt)?;
    if validate_only {
        message.opportunity_id.clear();
        message.lead_id.clear();
    }
    Ok(message)
}

/// The lead as visible to its partner account.
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

/// Normalizes a lead to the stored spelling. Returns the violations that field constraints do not cover (REF-050).
pub fn normalize_lead(details: &mut pb::LeadDetails) -> Vec<Violation> {
    let root = FieldPath::root();
    let mut customer = customer(details);
    let mut violations = customer.normalize(&root.field("referral.lead"));
    write_customer(details, customer);
    for (index, interaction) in details.interactions.iter_mut().enumerate() {
        let field = format!("referral.lead.interactions[{index}]");
        violations.extend(normalize_interaction(interaction, &root.field(&field)));
    }
    violations
}

/// Sets the industry and country that the caller states at conversion; empty ones keep those of the lead. Returns the
/// violations (REF-054).
pub fn complete_lead(details: &mut pb::LeadDetails, industry: &str, country: &str) -> Vec<Violation> {
    let mut customer = customer(details);
    let violations = customer.complete(industry, country);
    write_customer(details, customer);
    violations
}

fn customer(details: &pb::LeadDetails) -> Customer {
    let address = details.address.as_ref();
    Customer {
        industry: details.industry.clone(),
        country: address
            .map(|address| address.country_code.clone())
            .unwrap_or_default(),
        market_segment: details.market_segment.clone(),
        aws_maturity: details.aws_maturity.clone(),
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

/// Normalizes an interaction to the stored spelling. Returns a violation if its time is invalid (REF-052).
pub fn normalize_interaction(interaction: &mut pb::LeadInteraction, at: &FieldPath<'_>) -> Option<Violation> {
    if let Some(contact) = &mut interaction.contact {
        contact.email = comparable_email(&contact.email);
    }
    let is_invalid = interaction
        .interaction_date
        .is_some_and(|date| time(&date).is_none());
    is_invalid.then(|| {
        let text = "Must be a valid timestamp in the years 1 to 9999.";
        Violation::new(&at.field("interaction_date"), ViolationCode::InvalidValue, text)
    })
}

/// The excerpt of a referral that a partner can read before it accepts the offer. No other code selects these fields
/// (REF-012, REF-051).
pub fn offer_excerpt(content: &pb::Referral, offer: &Offer) -> pb::ReferralOffer {
    let payload = content.payload.as_ref().map(|payload| match payload {
        referral_pb::Payload::Lead(lead) => referral_offer::Payload::Lead(lead_excerpt(lead)),
        referral_pb::Payload::Opportunity(opportunity) => {
            referral_offer::Payload::Opportunity(opportunity_excerpt(opportunity, offer))
        }
    });
    pb::ReferralOffer {
        message: content.message.clone(),
        receiver_responsibilities: content.receiver_responsibilities.clone(),
        sender_contacts: content.sender_contacts.iter().map(shared_contact).collect(),
        payload,
        ..Default::default()
    }
}

/// The excerpt of a lead. Of the customer's contacts it has the titles only (REF-051).
fn lead_excerpt(lead: &pb::LeadDetails) -> pb::OfferedLead {
    let interactions = lead
        .interactions
        .iter()
        .map(|interaction| pb::OfferedInteraction {
            source_type: interaction.source_type.clone(),
            source_name: interaction.source_name.clone(),
            customer_action: interaction.customer_action.clone(),
            business_problem: interaction.business_problem.clone(),
            use_case: interaction.use_case.clone(),
            interaction_date: interaction.interaction_date,
            contact_business_title: interaction
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

/// The excerpt of an opportunity (REF-012).
fn opportunity_excerpt(opportunity: &opportunity::Opportunity, offer: &Offer) -> pb::OfferedOpportunity {
    let opportunity = opportunity.clone();
    let account = opportunity
        .customer
        .and_then(|customer| customer.account)
        .unwrap_or_default();
    let address = account.address.unwrap_or_default();
    let project = opportunity.project.unwrap_or_default();
    let life_cycle = opportunity.life_cycle.unwrap_or_default();
    pb::OfferedOpportunity {
        customer_company_name: account.company_name,
        customer_website_url: account.website_url,
        country_code: address.country_code,
        postal_code: address.postal_code,
        industry: account.industry,
        opportunity_type: opportunity.opportunity_type,
        customer_use_case: project.customer_use_case,
        create_time: Some(timestamp(offer.offer_time())),
        title: project.title,
        customer_business_problem: project.customer_business_problem,
        next_steps: life_cycle.next_steps,
        delivery_models: project.delivery_models,
        expected_customer_spend: project
            .expected_customer_spend
            .into_iter()
            .filter_map(spend_with_aws)
            .collect(),
        target_close_date: life_cycle.target_close_date,
        lead_source: opportunity.lead_source,
        origin: opportunity::Origin::AwsReferral.into(),
    }
}

fn shared_contact(contact: &opportunity::Contact) -> opportunity::Contact {
    opportunity::Contact {
        email: comparable_email(&contact.email),
        phone: String::new(),
        ..contact.clone()
    }
}

/// The expected spend with AWS, without its estimation URL; `None` for spend with another company. An entry that has
/// only an estimation URL has no content left.
fn spend_with_aws(entry: opportunity::ExpectedCustomerSpend) -> Option<opportunity::ExpectedCustomerSpend> {
    let company = entry.target_company.trim();
    let is_with_aws = company.is_empty() || company.eq_ignore_ascii_case("AWS");
    (is_with_aws && entry.amount.is_some()).then(|| opportunity::ExpectedCustomerSpend {
        estimation_url: String::new(),
        ..entry
    })
}
