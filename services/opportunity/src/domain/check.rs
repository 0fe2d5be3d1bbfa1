//! What a record must and must not say. Every function adds what it finds; nothing stops at the first violation.

use chrono::{Days, Months, NaiveDate};
use cosell_types::standard::StandardList;
use cosell_types::{ClosedList as _, FieldPath, Pii, Violation, ViolationCode};

use super::details::Address;
use super::reference::{
    APN_PROGRAM, COUNTRY, GOVERNMENT, INDUSTRY, MARKETING_USE_CASE, OTHER_INDUSTRY, TEAM_TITLE, US, US_STATE,
    USE_CASE,
};
use super::values::{CompetitorName, InvolvementType, MarketingSource, Stage, Visibility};
use super::{Details, Facts, deal_size, postal, tags};

const MAX_YEARS_AHEAD: u32 = 60;

/// What is wrong with a record, whatever its status (OPP-003 to OPP-018, OPP-025, OPP-028).
pub fn record(details: &Details, facts: &Facts<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    // National security comes first: it decides what else is required.
    if details.is_national_security() && details.customer.account.industry != GOVERNMENT {
        let text = "is only for customers in the industry Government";
        add(&mut found, "national_security", ViolationCode::InvalidValue, text);
    }
    customer(details, &mut found);
    project(details, &mut found);
    deal_size::check(details, facts, &mut found);
    marketing(details, &mut found);
    software_revenue(details, facts, &mut found);
    life_cycle(details, &mut found);
    for (index, person) in details.opportunity_team.iter().enumerate() {
        if !TEAM_TITLE.has(person.business_title.reveal()) {
            let at = format!("opportunity_team[{index}].business_title");
            not_in(&TEAM_TITLE, &at, &mut found);
        }
    }
    found.extend(tags::repeated(&details.tags));
    found
}

fn software_revenue(details: &Details, facts: &Facts<'_>, found: &mut Vec<Violation>) {
    let revenue = &details.software_revenue;
    if let (Some(from), Some(to)) = (revenue.effective_date, revenue.expiration_date)
        && from > to
    {
        let text = "must not be before software_revenue.effective_date";
        let at = "software_revenue.expiration_date";
        add(found, at, ViolationCode::ValueOutOfRange, text);
    }
    if let Some(value) = revenue.value {
        let at = "software_revenue.value";
        deal_size::currency(
            value.currency.code(),
            &format!("{at}.currency_code"),
            &details.project.aws_partition,
            facts.policy,
            found,
        );
        if value.hundredths < 0 {
            add(found, at, ViolationCode::ValueOutOfRange, "must not be negative");
        }
    }
}

/// What depends on marketing having brought the deal in is said when it has, and only then (OPP-029).
fn marketing(details: &Details, found: &mut Vec<Violation>) {
    let marketing = &details.marketing;
    one_of_each(
        &marketing.use_cases,
        &MARKETING_USE_CASE,
        "marketing.use_cases",
        found,
    );
    if marketing.source == Some(MarketingSource::MarketingActivity) {
        if marketing.aws_funding_used.is_none() {
            let text = "is required with source MARKETING_ACTIVITY";
            add(
                found,
                "marketing.aws_funding_used",
                ViolationCode::RequiredFieldMissing,
                text,
            );
        }
        return;
    }
    for (field, is_said) in [
        ("marketing.aws_funding_used", marketing.aws_funding_used.is_some()),
        ("marketing.campaign_name", !marketing.campaign_name.is_empty()),
        ("marketing.use_cases", !marketing.use_cases.is_empty()),
        ("marketing.channels", !marketing.channels.is_empty()),
    ] {
        if is_said {
            let text = "is only allowed with source MARKETING_ACTIVITY";
            add(found, field, ViolationCode::InvalidValue, text);
        }
    }
}

fn customer(details: &Details, found: &mut Vec<Violation>) {
    let account = &details.customer.account;
    if !details.is_national_security() {
        required(&account.company_name, "customer.account.company_name", found);
    }
    if account.industry.is_empty() {
        missing("customer.account.industry", found);
    } else if !INDUSTRY.has(&account.industry) {
        found.push(of_no_list(&INDUSTRY, "customer.account.industry").rejecting(&account.industry));
    } else if account.industry == OTHER_INDUSTRY && account.other_industry.is_empty() {
        let text = "is required when customer.account.industry is `Other`";
        add(
            found,
            "customer.account.other_industry",
            ViolationCode::RequiredFieldMissing,
            text,
        );
    }
    if !details.is_national_security() {
        required(&account.website_url, "customer.account.website_url", found);
    }
    address(&account.address, details.is_national_security(), found);
}

fn address(address: &Address, national_security: bool, found: &mut Vec<Violation>) {
    let country = address.country_code.reveal().as_str();
    if country.is_empty() {
        missing("customer.account.address.country_code", found);
        return;
    }
    if !COUNTRY.has(country) {
        not_in(&COUNTRY, "customer.account.address.country_code", found);
        return;
    }
    if national_security && country == US {
        return;
    }
    if address.postal_code.is_empty() && postal::has_codes(country) {
        let text = format!("is required in {country}");
        add(
            found,
            "customer.account.address.postal_code",
            ViolationCode::RequiredFieldMissing,
            text,
        );
    }
    let state = "customer.account.address.state_or_region";
    if country == US && address.state_or_region.is_empty() {
        add(
            found,
            state,
            ViolationCode::RequiredFieldMissing,
            "is required in the United States",
        );
    } else if country == US && !US_STATE.has(address.state_or_region.reveal()) {
        not_in(&US_STATE, state, found);
    }
}

fn project(details: &Details, found: &mut Vec<Violation>) {
    let project = &details.project;
    required(&project.title, "project.title", found);
    required(
        &project.customer_business_problem,
        "project.customer_business_problem",
        found,
    );
    let use_case = &project.customer_use_case;
    if !use_case.is_empty() && !USE_CASE.has(use_case) {
        found.push(of_no_list(&USE_CASE, "project.customer_use_case").rejecting(use_case));
    }
    one_of_each(&project.apn_programs, &APN_PROGRAM, "project.apn_programs", found);
    let other = project.competitor_name == Some(CompetitorName::Other);
    let at = "project.other_competitor_names";
    if other && project.other_competitor_names.is_empty() {
        let text = "is required with competitor OTHER";
        add(found, at, ViolationCode::RequiredFieldMissing, text);
    } else if !other && !project.other_competitor_names.is_empty() {
        add(
            found,
            at,
            ViolationCode::InvalidValue,
            "is only allowed with competitor OTHER",
        );
    }
}

fn life_cycle(details: &Details, found: &mut Vec<Violation>) {
    let life_cycle = &details.life_cycle;
    if life_cycle.target_close_date.is_none() {
        missing("life_cycle.target_close_date", found);
    }
    let lost = life_cycle.stage == Stage::ClosedLost;
    let at = "life_cycle.closed_lost_reason";
    if lost && life_cycle.closed_lost_reason.is_none() {
        add(
            found,
            at,
            ViolationCode::RequiredFieldMissing,
            "is required with stage CLOSED_LOST",
        );
    }
    if !lost && life_cycle.closed_lost_reason.is_some() {
        add(
            found,
            at,
            ViolationCode::InvalidValue,
            "is only allowed with stage CLOSED_LOST",
        );
    }
}

/// What is wrong with a new target close date (OPP-015). Asked only when it changes: a date that has passed must not
/// keep a partner from changing something else.
pub fn new_close_date(details: &Details, today: NaiveDate, found: &mut Vec<Violation>) {
    let Some(date) = details.life_cycle.target_close_date else {
        return;
    };
    let last = today
        .checked_add_months(Months::new(12 * MAX_YEARS_AHEAD))
        .unwrap_or(NaiveDate::MAX);
    let first = today.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
    if date < first || date > last {
        let text = format!("must be from {first} to {last}");
        add(
            found,
            "life_cycle.target_close_date",
            ViolationCode::ValueOutOfRange,
            text,
        );
    }
}

/// What is wrong with the opportunity that this one expands or renews: it has to be the account's own (OPP-005).
pub fn related(details: &Details, facts: &Facts<'_>, found: &mut Vec<Violation>) {
    if let Some(id) = details
        .project
        .related_opportunity_id
        .filter(|id| !facts.own.contains(id))
    {
        let text = format!("Resource with Identifier {id} does not exist or is not accessible");
        let at = "project.related_opportunity_id";
        found.push(
            Violation::new(&FieldPath::root().field(at), ViolationCode::InvalidValue, text).rejecting(id),
        );
    }
}

/// What is wrong with a new stage (OPP-043): whoever launches says when, and with which account of the customer.
pub fn new_stage(details: &Details, facts: &Facts<'_>, today: NaiveDate, found: &mut Vec<Violation>) {
    if details.life_cycle.stage != Stage::Launched {
        return;
    }
    if details
        .life_cycle
        .target_close_date
        .is_some_and(|date| date > today)
    {
        let text =
            format!("must be the day on which billing began, {today} at the latest, with stage LAUNCHED");
        add(
            found,
            "life_cycle.target_close_date",
            ViolationCode::ValueOutOfRange,
            text,
        );
    }
    if facts.needs_account_to_launch() && details.customer.account.aws_account_id.is_empty() {
        let text = "is required with stage LAUNCHED of partners of this type";
        add(
            found,
            "customer.account.aws_account_id",
            ViolationCode::RequiredFieldMissing,
            text,
        );
    }
}

/// What a record lacks on top, to be submitted or to stay approved, but for a solution (OPP-014, OPP-019 to OPP-025).
pub fn submittable(
    details: &Details,
    involvement: InvolvementType,
    visibility: Visibility,
) -> Vec<Violation> {
    let mut found = Vec::new();
    let project = &details.project;
    if project.customer_use_case.is_empty() {
        missing("project.customer_use_case", &mut found);
    }
    if project.delivery_models.is_empty() {
        at_least_one("project.delivery_models", &mut found);
    }
    if project.sales_activities.is_empty() {
        at_least_one("project.sales_activities", &mut found);
    }
    let needs = "primary_needs_from_aws";
    match involvement {
        InvolvementType::CoSell if details.primary_needs_from_aws.is_empty() => {
            at_least_one(needs, &mut found);
        }
        InvolvementType::ForVisibilityOnly if !details.primary_needs_from_aws.is_empty() => {
            let text = "must be empty for visibility only, which means that no support from AWS is needed";
            add(&mut found, needs, ViolationCode::InvalidValue, text);
        }
        _ => {}
    }
    if visibility == Visibility::Limited {
        if involvement == InvolvementType::CoSell {
            let text = "cannot be LIMITED on a co-sell opportunity";
            add(&mut found, "visibility", ViolationCode::InvalidValue, text);
        } else if details.is_national_security() {
            let text = "must be FULL for a national-security opportunity";
            add(&mut found, "visibility", ViolationCode::InvalidValue, text);
        }
    }
    if details.is_national_security() && involvement == InvolvementType::ForVisibilityOnly {
        let text = "must be CO_SELL for a national-security opportunity";
        add(&mut found, "involvement_type", ViolationCode::InvalidValue, text);
    }
    found
}

/// The form of the postal code, which is asked for at submission (OPP-014).
pub fn postal_code(details: &Details, found: &mut Vec<Violation>) {
    let address = &details.customer.account.address;
    let (country, code) = (address.country_code.reveal(), address.postal_code.reveal());
    if code.is_empty() || postal::is_valid(country, code) {
        return;
    }
    let name = COUNTRY.label(country);
    let form = postal::form(country).unwrap_or_default();
    let text = format!(
        "The postal code is invalid for country {name}, {name} postal code must be in {form} format."
    );
    let at = "customer.account.address.postal_code";
    add(found, at, ViolationCode::InvalidStringFormat, text);
}

/// A registered solution or product is needed; until COMMITTED a description in words will do (OPP-026).
pub fn solution(details: &Details, facts: &Facts<'_>, found: &mut Vec<Violation>) {
    let related = &details.related_entity_identifiers;
    let registered = !related.solutions.is_empty()
        || !related.aws_marketplace_solutions.is_empty()
        || !related.aws_marketplace_products.is_empty();
    let stage = details.life_cycle.stage;
    if registered || stage == Stage::ClosedLost {
        return;
    }
    if stage >= Stage::Committed {
        let text = format!(
            "cannot be {} without a registered solution or marketplace product",
            stage.name()
        );
        add(found, "life_cycle.stage", ViolationCode::InvalidValue, text);
    } else if !facts.policy.solution_in_words || details.project.other_solution_description.is_empty() {
        let text = match facts.policy.solution_in_words {
            true => {
                "needs a solution, a marketplace solution or a marketplace product; where none is registered, describe \
                 it in project.other_solution_description"
            }
            false => "needs a solution, a marketplace solution or a marketplace product",
        };
        add(
            found,
            "related_entity_identifiers",
            ViolationCode::RequiredFieldMissing,
            text,
        );
    }
}

/// A deal that is over cannot be submitted (OPP-024).
pub fn not_over(details: &Details, found: &mut Vec<Violation>) {
    if details.life_cycle.stage.is_terminal() {
        let text = format!(
            "must not be {} at submission; submit early, once QUALIFIED",
            details.life_cycle.stage.name()
        );
        add(found, "life_cycle.stage", ViolationCode::InvalidValue, text);
    }
}

pub fn add(found: &mut Vec<Violation>, field: &str, code: ViolationCode, text: impl Into<String>) {
    found.push(Violation::new(&FieldPath::root().field(field), code, text));
}

fn missing(field: &str, found: &mut Vec<Violation>) {
    add(found, field, ViolationCode::RequiredFieldMissing, "is required");
}

fn at_least_one(field: &str, found: &mut Vec<Violation>) {
    add(
        found,
        field,
        ViolationCode::RequiredFieldMissing,
        "needs at least one value",
    );
}

fn required(value: &Pii<String>, field: &str, found: &mut Vec<Violation>) {
    if value.is_empty() {
        missing(field, found);
    }
}

pub fn of_no_list(list: &StandardList, field: &str) -> Violation {
    Violation::not_in(list, &FieldPath::root().field(field))
}

/// A value that may be personal data, and is not repeated.
fn not_in(list: &StandardList, field: &str, found: &mut Vec<Violation>) {
    found.push(of_no_list(list, field));
}

fn one_of_each(values: &[String], list: &StandardList, field: &str, found: &mut Vec<Violation>) {
    for (index, value) in values.iter().enumerate().filter(|(_, value)| !list.has(value)) {
        found.push(of_no_list(list, &format!("{field}[{index}]")).rejecting(value));
    }
}
