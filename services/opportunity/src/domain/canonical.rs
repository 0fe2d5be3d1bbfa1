//! The platform's own spelling of what clients write in many ways (OPP-011): nothing is refused for a capital, a dash or
//! a blank.

use cosell_types::{Money, Pii};

use super::reference::{
    APN_PROGRAM, COUNTRY, GOVERNMENT, INDUSTRY, MARKETING_USE_CASE, TEAM_TITLE, US, US_STATE, USE_CASE,
};
use super::values::PaymentFrequency;
use super::{Contact, Details, ExpectedCustomerSpend};
use crate::domain::deal_size::{AWS, SELF};
use cosell_types::standard::StandardList;

/// Writes what is given as it is kept.
pub fn canonical(details: &mut Details) {
    trim(details);
    let account = &mut details.customer.account;
    one(&INDUSTRY, &mut account.industry);
    let address = &mut account.address;
    personal(&COUNTRY, &mut address.country_code);
    address.postal_code = address.postal_code.reveal().trim().to_uppercase().into();
    if *address.country_code.reveal() == US {
        personal(&US_STATE, &mut address.state_or_region);
    }
    one(&USE_CASE, &mut details.project.customer_use_case);
    for program in &mut details.project.apn_programs {
        one(&APN_PROGRAM, program);
    }
    for use_case in &mut details.marketing.use_cases {
        one(&MARKETING_USE_CASE, use_case);
    }
    for person in details
        .customer
        .contacts
        .iter_mut()
        .chain(&mut details.opportunity_team)
    {
        contact(person);
    }
    for person in &mut details.opportunity_team {
        personal(&TEAM_TITLE, &mut person.business_title);
    }
    for entry in &mut details.project.expected_customer_spend {
        spend(entry);
    }
}

/// Texts without the blanks around them: a spreadsheet gives them back without.
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

/// Whether the customer is a government, however that is written.
pub fn is_government(details: &Details) -> bool {
    INDUSTRY.canonical(&details.customer.account.industry) == Some(GOVERNMENT)
}

pub fn one(list: &StandardList, value: &mut String) {
    if let Some(canonical) = list.canonical(value) {
        canonical.clone_into(value);
    }
}

pub fn personal(list: &StandardList, value: &mut Pii<String>) {
    if let Some(canonical) = list.canonical(value.reveal()) {
        *value = canonical.into();
    }
}

pub fn contact(person: &mut Contact) {
    person.email = person.email.reveal().trim().to_lowercase().into();
}

pub fn spend(entry: &mut ExpectedCustomerSpend) {
    for company in [AWS, SELF] {
        if entry.target_company.trim().eq_ignore_ascii_case(company) {
            company.clone_into(&mut entry.target_company);
        }
    }
    if entry.frequency == Some(PaymentFrequency::Annual) {
        entry.frequency = Some(PaymentFrequency::Monthly);
        entry.amount = entry.amount.map(monthly);
    }
}

/// A twelfth, to the nearest hundredth; what is something stays something.
fn monthly(year: Money) -> Money {
    let twelfth = (year.hundredths.saturating_add(6)) / 12;
    let least = year.hundredths.clamp(0, 1);
    Money {
        hundredths: twelfth.max(least),
        ..year
    }
}
