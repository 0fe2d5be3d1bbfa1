use std::collections::BTreeSet;

use cosell_events::{Delivery, HandlerError};
use cosell_grpc::MAX_RESPONSE;
use cosell_grpc::convert::time;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::referral::v1::referral_internal_service_client::ReferralInternalServiceClient;
use cosell_store::Tx;
use cosell_types::{MemberId, OpportunityId, comparable_email};

use super::ReferralEvents;
use crate::convert;
use crate::domain::{Details, Facts, Opportunity};
use crate::store;

/// Maximum number of characters in the business title and the e-mail address of a contact.
const MAX_LENGTH: usize = 80;

/// A lead that a partner has converted into an opportunity.
#[derive(Debug)]
pub struct ConvertedLead {
    opportunity: OpportunityId,
    lead_id: String,
    member: MemberId,
    details: Details,
}

/// Reads the details of the lead from referral. The event omits them because they contain personal data.
pub async fn prepare(handler: &ReferralEvents, delivery: &Delivery) -> Result<ConvertedLead, HandlerError> {
    let event: referral::LeadConverted = delivery.message()?;
    let opportunity = event.opportunity_id.parse();
    let member = event.converted_by.parse();
    let request = handler.referral.request(referral::GetConvertedLeadRequest {
        lead_id: event.lead_id.clone(),
    })?;
    let response = ReferralInternalServiceClient::new(handler.referral.channel())
        .max_decoding_message_size(MAX_RESPONSE)
        .get_converted_lead(request)
        .await;
    let response = response
        .map_err(|status| HandlerError::from_status(&status))?
        .into_inner();
    let (details, _) = convert::details(&draft(response.details.unwrap_or_default()));
    Ok(ConvertedLead {
        opportunity: opportunity
            .map_err(|_| HandlerError::permanent("the event has an invalid opportunity_id"))?,
        lead_id: event.lead_id,
        member: member.map_err(|_| HandlerError::permanent("the event has an invalid member"))?,
        details,
    })
}

/// Creates the draft.
pub async fn apply(
    tx: &mut Tx,
    handler: &ReferralEvents,
    delivery: &Delivery,
    lead: ConvertedLead,
) -> Result<(), HandlerError> {
    let now = handler.clock.now();
    let facts = Facts::without_references(&handler.policy);
    let (record, event) = Opportunity::from_lead(
        lead.opportunity,
        delivery.account.clone(),
        lead.member,
        &lead.lead_id,
        lead.details,
        &facts,
        now,
    );
    Ok(store::save_opportunity(tx, &record, &event, delivery.cause(now)).await?)
}

/// The content of the draft: the customer, its contacts, and the newest use case and business problem (OPP-091).
fn draft(lead: referral::LeadDetails) -> pb::Opportunity {
    let mut interactions: Vec<_> = lead.interactions.into_iter().enumerate().collect();
    // Newest first; at the same time, or without a time, the one that was added last comes first.
    interactions
        .sort_by_key(|(index, interaction)| (interaction.interaction_date.as_ref().and_then(time), *index));
    interactions.reverse();
    let newest = |text: fn(&referral::LeadInteraction) -> &String| {
        let mut texts = interactions.iter().map(|(_, interaction)| text(interaction));
        texts.find(|text| !text.is_empty()).cloned().unwrap_or_default()
    };
    let (use_case, problem) = (
        newest(|interaction| &interaction.use_case),
        newest(|interaction| &interaction.business_problem),
    );
    let mut emails = BTreeSet::new();
    let contacts = interactions
        .into_iter()
        .filter_map(|(_, interaction)| interaction.contact.map(contact))
        .filter(|contact| *contact != pb::Contact::default())
        // One contact can have several interactions.
        .filter(|contact| contact.email.is_empty() || emails.insert(comparable_email(&contact.email)));
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

/// Converts a contact to the stricter format of an opportunity (OPP-091). Omits a business title or e-mail address that
/// is too long, all characters of a phone number but `+` and digits, and a phone number without country code.
fn contact(lead_contact: referral::LeadContact) -> pb::Contact {
    let omit_long = |text: String| {
        if text.chars().count() <= MAX_LENGTH {
            text
        } else {
            String::new()
        }
    };
    let phone: String = lead_contact
        .phone
        .chars()
        .filter(|character| *character == '+' || character.is_ascii_digit())
        .collect();
    let is_e164 = phone.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    pb::Contact {
        first_name: lead_contact.first_name,
        last_name: lead_contact.last_name,
        business_title: omit_long(lead_contact.business_title),
        email: omit_long(lead_contact.email),
        phone: if is_e164 { phone } else { String::new() },
    }
}
