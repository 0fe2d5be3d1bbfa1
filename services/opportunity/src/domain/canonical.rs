//! Brings input into its stored form (OPP-011): standard values in their own spelling, e-mail addresses as they
//! are compared, texts without surrounding spaces. Nothing is refused because of capitals, dashes or spaces.

use cosell_types::{Money, Pii, comparable_email};

use super::reference::{
    APN_PROGRAM, COUNTRY, GOVERNMENT, INDUSTRY, MARKETING_USE_CASE, TEAM_TITLE, US, US_STATE, USE_CASE,
};
use super::values::PaymentFrequency;
use super::{Contact, Details, ExpectedCustomerSpend};
use crate::domain::customer_spend::{TARGET_AWS, TARGET_SELF};
use cosell_types::standard::StandardList;

/// Brings all fields into their stored form.
pub fn canonicalize(details: &mut Details) {
    trim(details);
    // Identifiers without a visible character have the same, empty key (OPP-003).
    if details.partner_identifier_key().is_empty() {
        details.partner_opportunity_identifier.clear();
    }
    let account = &mut details.customer.account;
    canonicalize_value(&INDUSTRY, &mut account.industry);
    let address = &mut account.address;
    canonicalize_personal_value(&COUNTRY, &mut address.country_code);
    address.postal_code = address.postal_code.reveal().trim().to_uppercase().into();
    if *address.country_code.reveal() == US {
        canonicalize_personal_value(&US_STATE, &mut address.state_or_region);
    }
    canonicalize_value(&USE_CASE, &mut details.project.customer_use_case);
    for program in &mut details.project.apn_programs {
        canonicalize_value(&APN_PROGRAM, program);
    }
    for use_case in &mut details.marketing.use_cases {
        canonicalize_value(&MARKETING_USE_CASE, use_case);
    }
    for contact in details
        .customer
        .contacts
        .iter_mut()
        .chain(&mut details.opportunity_team)
    {
        canonicalize_contact(contact);
    }
    for contact in &mut details.opportunity_team {
        canonicalize_personal_value(&TEAM_TITLE, &mut contact.business_title);
    }
    for entry in &mut details.project.expected_customer_spend {
        canonicalize_spend(entry);
    }
}

/// Removes surrounding spaces, which an export to a spreadsheet and a later import would lose.
fn trim(details: &mut Details) {
    let (account, project) = (&mut details.customer.account, &mut details.project);
    for text in [
        &mut account.other_industry,
        &mut project.sub_use_case,
        &mut project.other_competitor_names,
        &mut details.marketing.campaign_name,
        &mut details.partner_opportunity_identifier,
    ] {
        if text.trim().len() < text.len() {
            *text = text.trim().to_owned();
        }
    }
    for text in [
        &mut account.company_name,
        &mut account.website_url,
        &mut account.address.street_address,
        &mut account.address.city,
        &mut project.title,
        &mut project.customer_business_problem,
        &mut project.other_solution_description,
        &mut project.additional_comments,
        &mut details.life_cycle.next_steps,
    ] {
        let trimmed = text.reveal().trim();
        if trimmed.len() < text.reveal().len() {
            *text = trimmed.into();
        }
    }
}

/// Whether the industry is Government, in any accepted spelling.
pub fn is_government(details: &Details) -> bool {
    INDUSTRY.canonical(&details.customer.account.industry) == Some(GOVERNMENT)
}

pub fn canonicalize_value(list: &StandardList, value: &mut String) {
    if let Some(canonical) = list.canonical(value) {
        canonical.clone_into(value);
    }
}

pub fn canonicalize_personal_value(list: &StandardList, value: &mut Pii<String>) {
    if let Some(canonical) = list.canonical(value.reveal()) {
        *value = canonical.into();
    }
}

pub fn canonicalize_contact(contact: &mut Contact) {
    contact.email = comparable_email(contact.email.reveal()).into();
}

pub fn canonicalize_spend(entry: &mut ExpectedCustomerSpend) {
    for company in [TARGET_AWS, TARGET_SELF] {
        if entry.target_company.trim().eq_ignore_ascii_case(company) {
            company.clone_into(&mut entry.target_company);
        }
    }
    if entry.frequency == Some(PaymentFrequency::Annual) {
        entry.frequency = Some(PaymentFrequency::Monthly);
        entry.amount = entry.amount.map(monthly);
    }
}

/// A twelfth, rounded to the nearest hundredth. A positive amount stays positive.
fn monthly(year: Money) -> Money {
    let twelfth = (year.hundredths.saturating_add(6)) / 12;
    let least = year.hundredths.clamp(0, 1);
    Money {
        hundredths: twelfth.max(least),
        ..year
    }
}
