use std::collections::BTreeSet;

use cosell_events::{Delivery, Fault};
use cosell_grpc::MAX_RESPONSE;
use cosell_grpc::convert::time;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::referral::v1::referral_internal_service_client::ReferralInternalServiceClient;
use cosell_store::Tx;
use cosell_types::{MemberId, OpportunityId};

use super::FromReferral;
use crate::api::convert;
use crate::domain::{Details, Facts, Opportunity};
use crate::store;

/// Characters that a title and an address of a record have at most.
const LONGEST: usize = 80;

/// The customer of a lead of which a partner makes an opportunity.
#[derive(Debug)]
pub struct Customer {
    opportunity: OpportunityId,
    lead: String,
    member: MemberId,
    details: Details,
}

/// Who the customer is is not in the event, because it names people; it is read where it is kept.
pub async fn prepare(handler: &FromReferral, delivery: &Delivery) -> Result<Customer, Fault> {
    let event: referral::LeadConverted = delivery.message()?;
    let opportunity = event.opportunity_id.parse();
    let member = event.converted_by.parse();
    let request = handler.referral.request(referral::GetConvertedLeadRequest {
        lead_id: event.lead_id.clone(),
    })?;
    let answer = ReferralInternalServiceClient::new(handler.referral.channel())
        .max_decoding_message_size(MAX_RESPONSE)
        .get_converted_lead(request)
        .await;
    let answer = answer.map_err(|status| Fault::from_status(&status))?.into_inner();
    let (details, _) = convert::details(&draft(answer.details.unwrap_or_default()));
    Ok(Customer {
        opportunity: opportunity.map_err(|_| Fault::permanent("opportunity_id"))?,
        lead: event.lead_id,
        member: member.map_err(|_| Fault::permanent("member"))?,
        details,
    })
}

/// The draft.
pub async fn apply(
    tx: &mut Tx,
    handler: &FromReferral,
    delivery: &Delivery,
    customer: Customer,
) -> Result<(), Fault> {
    let now = handler.clock.now();
    let facts = Facts::none(&handler.policy);
    let (record, event) = Opportunity::of_lead(
        customer.opportunity,
        delivery.account.clone(),
        customer.member,
        &customer.lead,
        customer.details,
        &facts,
        now,
    );
    Ok(store::save(tx, &record, &event, delivery.cause(now)).await?)
}

/// What a record says of what is known of the customer (OPP-091).
fn draft(lead: referral::LeadDetails) -> pb::Opportunity {
    let mut interactions: Vec<_> = lead.interactions.into_iter().enumerate().collect();
    // The newest first; of one time, and without a time, the one that was noted last.
    interactions.sort_by_key(|(place, known)| (known.interaction_date.as_ref().and_then(time), *place));
    interactions.reverse();
    let newest = |text: fn(&referral::LeadInteraction) -> &String| {
        let mut texts = interactions.iter().map(|(_, known)| text(known));
        texts.find(|text| !text.is_empty()).cloned().unwrap_or_default()
    };
    let (use_case, problem) = (
        newest(|known| &known.use_case),
        newest(|known| &known.business_problem),
    );
    let mut reached = BTreeSet::new();
    let contacts = interactions
        .into_iter()
        .filter_map(|(_, known)| known.contact.map(contact))
        .filter(|contact| *contact != pb::Contact::default())
        // Who has done several things is one person.
        .filter(|contact| contact.email.is_empty() || reached.insert(contact.email.to_lowercase()));
    pb::Opportunity {
        customer: Some(pb::Customer {
            contacts: contacts.collect(),
            account: Some(pb::Account {
                company_name: lead.customer_company_name,
                industry: lead.industry,
                website_url: lead.customer_website_url,
                address: Some(lead.address.unwrap_or_default()),
                ..Default::default()
            }),
        }),
        project: Some(pb::Project {
            customer_use_case: use_case,
            customer_business_problem: problem,
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A person as far as a record can have it: a title or an address that is too long is left out, and of a phone number
/// everything but `+` and digits; one without its country code is left out (OPP-091).
fn contact(known: referral::LeadContact) -> pb::Contact {
    let fitting = |text: String| {
        if text.chars().count() <= LONGEST {
            text
        } else {
            String::new()
        }
    };
    let phone: String = known
        .phone
        .chars()
        .filter(|letter| *letter == '+' || letter.is_ascii_digit())
        .collect();
    let is_e164 = phone.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    pb::Contact {
        first_name: known.first_name,
        last_name: known.last_name,
        business_title: fitting(known.business_title),
        email: fitting(known.email),
        phone: if is_e164 { phone } else { String::new() },
    }
}
