//! The rules about the content of an opportunity. Every function adds all violations; none stops at the first one.

use chrono::{Days, Months, NaiveDate};
use cosell_types::standard::StandardList;
use cosell_types::{ClosedList as _, FieldPath, Pii, Violation, ViolationCode};

use super::details::Address;
use super::reference::{
    APN_PROGRAM, COUNTRY, GOVERNMENT, INDUSTRY, MARKETING_USE_CASE, OTHER_INDUSTRY, TEAM_TITLE, US, US_STATE,
    USE_CASE,
};
use super::values::{CompetitorName, InvolvementType, MarketingSource, Stage, Visibility};
use super::{Details, Facts, customer_spend, postal, tags};

const MAX_CLOSE_YEARS: u32 = 60;

/// The rules that apply in every review status (OPP-003 to OPP-018, OPP-025, OPP-028).
pub fn record(details: &Details, facts: &Facts<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    // First, because national security decides which other fields are required.
    if details.is_national_security() && details.customer.account.industry != GOVERNMENT {
        let text = "Is only allowed for customers in the industry Government.";
        add(
            &mut violations,
            "national_security",
            ViolationCode::InvalidValue,
            text,
        );
    }
    customer(details, &mut violations);
    project(details, &mut violations);
    customer_spend::check(details, facts, &mut violations);
    marketing(details, &mut violations);
    software_revenue(details, facts, &mut violations);
    life_cycle(details, &mut violations);
    for (index, contact) in details.opportunity_team.iter().enumerate() {
        if !TEAM_TITLE.has(contact.business_title.reveal()) {
            let at = format!("opportunity_team[{index}].business_title");
            personal_value_not_in_list(&TEAM_TITLE, &at, &mut violations);
        }
    }
    violations.extend(tags::duplicate_keys(&details.tags));
    violations
}

fn software_revenue(details: &Details, facts: &Facts<'_>, violations: &mut Vec<Violation>) {
    let revenue = &details.software_revenue;
    if let (Some(from), Some(to)) = (revenue.effective_date, revenue.expiration_date)
        && from > to
    {
        let text = "Must not be before software_revenue.effective_date.";
        let at = "software_revenue.expiration_date";
        add(violations, at, ViolationCode::ValueOutOfRange, text);
    }
    if let Some(value) = revenue.value {
        let at = "software_revenue.value";
        customer_spend::check_currency(
            value.currency.code(),
            &format!("{at}.currency_code"),
            &details.project.aws_partition,
            facts.policy,
            violations,
        );
        if value.hundredths < 0 {
            add(
                violations,
                at,
                ViolationCode::ValueOutOfRange,
                "Must not be negative.",
            );
        }
    }
}

/// With the source MARKETING_ACTIVITY the funding is required; without it all marketing details must be empty
/// (OPP-029).
fn marketing(details: &Details, violations: &mut Vec<Violation>) {
    let marketing = &details.marketing;
    each_in_list(
        &marketing.use_cases,
        &MARKETING_USE_CASE,
        "marketing.use_cases",
        violations,
    );
    if marketing.source == Some(MarketingSource::MarketingActivity) {
        if marketing.aws_funding_used.is_none() {
            let text = "Is required with the source MARKETING_ACTIVITY.";
            add(
                violations,
                "marketing.aws_funding_used",
                ViolationCode::RequiredFieldMissing,
                text,
            );
        }
        return;
    }
    for (field, is_set) in [
        ("marketing.aws_funding_used", marketing.aws_funding_used.is_some()),
        ("marketing.campaign_name", !marketing.campaign_name.is_empty()),
        ("marketing.use_cases", !marketing.use_cases.is_empty()),
        ("marketing.channels", !marketing.channels.is_empty()),
    ] {
        if is_set {
            let text = "Is only allowed with the source MARKETING_ACTIVITY.";
            add(violations, field, ViolationCode::InvalidValue, text);
        }
    }
}

fn customer(details: &Details, violations: &mut Vec<Violation>) {
    let account = &details.customer.account;
    if !details.is_national_security() {
        required(&account.company_name, "customer.account.company_name", violations);
    }
    if account.industry.is_empty() {
        missing("customer.account.industry", violations);
    } else if !INDUSTRY.has(&account.industry) {
        violations
            .push(not_in_list(&INDUSTRY, "customer.account.industry").with_rejected_value(&account.industry));
    } else if account.industry == OTHER_INDUSTRY && account.other_industry.is_empty() {
        let text = "Is required when customer.account.industry is `Other`.";
        add(
            violations,
            "customer.account.other_industry",
            ViolationCode::RequiredFieldMissing,
            text,
        );
    }
    if !details.is_national_security() {
        required(&account.website_url, "customer.account.website_url", violations);
    }
    address(&account.address, details.is_national_security(), violations);
}

fn address(address: &Address, national_security: bool, violations: &mut Vec<Violation>) {
    let country = address.country_code.reveal().as_str();
    if country.is_empty() {
        missing("customer.account.address.country_code", violations);
        return;
    }
    if !COUNTRY.has(country) {
        personal_value_not_in_list(&COUNTRY, "customer.account.address.country_code", violations);
        return;
    }
    if national_security && country == US {
        return;
    }
    if address.postal_code.is_empty() && postal::has_codes(country) {
        let text = format!("Is required in {country}.");
        add(
            violations,
            "customer.account.address.postal_code",
            ViolationCode::RequiredFieldMissing,
            text,
        );
    }
    let state = "customer.account.address.state_or_region";
    if country == US && address.state_or_region.is_empty() {
        add(
            violations,
            state,
            ViolationCode::RequiredFieldMissing,
            "Is required in the United States.",
        );
    } else if country == US && !US_STATE.has(address.state_or_region.reveal()) {
        personal_value_not_in_list(&US_STATE, state, violations);
    }
}

fn project(details: &Details, violations: &mut Vec<Violation>) {
    let project = &details.project;
    required(&project.title, "project.title", violations);
    required(
        &project.customer_business_problem,
        "project.customer_business_problem",
        violations,
    );
    let use_case = &project.customer_use_case;
    if !use_case.is_empty() && !USE_CASE.has(use_case) {
        violations.push(not_in_list(&USE_CASE, "project.customer_use_case").with_rejected_value(use_case));
    }
    each_in_list(
        &project.apn_programs,
        &APN_PROGRAM,
        "project.apn_programs",
        violations,
    );
    let other = project.competitor_name == Some(CompetitorName::Other);
    let at = "project.other_competitor_names";
    if other && project.other_competitor_names.is_empty() {
        let text = "Is required with the competitor OTHER.";
        add(violations, at, ViolationCode::RequiredFieldMissing, text);
    } else if !other && !project.other_competitor_names.is_empty() {
        add(
            violations,
            at,
            ViolationCode::InvalidValue,
            "Is only allowed with the competitor OTHER.",
        );
    }
}

fn life_cycle(details: &Details, violations: &mut Vec<Violation>) {
    let life_cycle = &details.life_cycle;
    if life_cycle.target_close_date.is_none() {
        missing("life_cycle.target_close_date", violations);
    }
    let lost = life_cycle.stage == Stage::ClosedLost;
    let at = "life_cycle.closed_lost_reason";
    if lost && life_cycle.closed_lost_reason.is_none() {
        add(
            violations,
            at,
            ViolationCode::RequiredFieldMissing,
            "Is required in stage CLOSED_LOST.",
        );
    }
    if !lost && life_cycle.closed_lost_reason.is_some() {
        add(
            violations,
            at,
            ViolationCode::InvalidValue,
            "Is only allowed in stage CLOSED_LOST.",
        );
    }
}

/// Checks a new target close date (OPP-015). Called only when the date changes, because a past date must not block
/// other updates.
pub fn new_close_date(details: &Details, today: NaiveDate, violations: &mut Vec<Violation>) {
    let Some(date) = details.life_cycle.target_close_date else {
        return;
    };
    let last = today
        .checked_add_months(Months::new(12 * MAX_CLOSE_YEARS))
        .unwrap_or(NaiveDate::MAX);
    let first = today.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
    if date < first || date > last {
        let text = format!("Must be from {first} to {last}.");
        add(
            violations,
            "life_cycle.target_close_date",
            ViolationCode::ValueOutOfRange,
            text,
        );
    }
}

/// The parent opportunity must be one of the same account (OPP-005). The error text is that of AWS Partner Central's
/// API.
pub fn parent_opportunity(details: &Details, facts: &Facts<'_>, violations: &mut Vec<Violation>) {
    if let Some(id) = details
        .project
        .related_opportunity_id
        .filter(|id| !facts.own_opportunities.contains(id))
    {
        let text = format!("Resource with Identifier {id} does not exist or is not accessible");
        let at = "project.related_opportunity_id";
        violations.push(
            Violation::new(&FieldPath::root().field(at), ViolationCode::InvalidValue, text)
                .with_rejected_value(id),
        );
    }
}

/// Checks a terminal stage (OPP-043): its close date has come, and to launch some partners must state the customer's AWS
/// account.
pub fn closing(details: &Details, facts: &Facts<'_>, today: NaiveDate, violations: &mut Vec<Violation>) {
    let life_cycle = &details.life_cycle;
    let is_launched = life_cycle.stage == Stage::Launched;
    let first = today
        .checked_sub_months(Months::new(12 * MAX_CLOSE_YEARS))
        .unwrap_or(NaiveDate::MIN);
    if life_cycle
        .target_close_date
        .is_some_and(|date| date > today || date < first)
    {
        let day = match is_launched {
            true => "billing began",
            false => "the opportunity was lost",
        };
        let stage = life_cycle.stage.name();
        let text = format!("Must be the day on which {day}, from {first} to {today}, in stage {stage}.");
        add(
            violations,
            "life_cycle.target_close_date",
            ViolationCode::ValueOutOfRange,
            text,
        );
    }
    if is_launched
        && facts.requires_customer_account_at_launch()
        && details.customer.account.aws_account_id.is_empty()
    {
        let text = "Is required in stage LAUNCHED for partners of this type.";
        add(
            violations,
            "customer.account.aws_account_id",
            ViolationCode::RequiredFieldMissing,
            text,
        );
    }
}

/// The additional rules for a submission and for an approved opportunity, except the solution (OPP-014, OPP-019 to
/// OPP-025).
pub fn submittable(
    details: &Details,
    involvement: InvolvementType,
    visibility: Visibility,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    let project = &details.project;
    if project.customer_use_case.is_empty() {
        missing("project.customer_use_case", &mut violations);
    }
    if project.delivery_models.is_empty() {
        at_least_one("project.delivery_models", &mut violations);
    }
    if project.sales_activities.is_empty() {
        at_least_one("project.sales_activities", &mut violations);
    }
    let needs = "primary_needs_from_aws";
    match involvement {
        InvolvementType::CoSell if details.primary_needs_from_aws.is_empty() => {
            at_least_one(needs, &mut violations);
        }
        InvolvementType::ForVisibilityOnly if !details.primary_needs_from_aws.is_empty() => {
            let text =
                "Must be empty for FOR_VISIBILITY_ONLY, which means that no support from AWS is needed.";
            add(&mut violations, needs, ViolationCode::InvalidValue, text);
        }
        _ => {}
    }
    if visibility == Visibility::Limited {
        if involvement == InvolvementType::CoSell {
            let text = "Must not be LIMITED for a CO_SELL opportunity.";
            add(&mut violations, "visibility", ViolationCode::InvalidValue, text);
        } else if details.is_national_security() {
            let text = "Must be FULL for a national-security opportunity.";
            add(&mut violations, "visibility", ViolationCode::InvalidValue, text);
        }
    }
    if details.is_national_security() && involvement == InvolvementType::ForVisibilityOnly {
        let text = "Must be CO_SELL for a national-security opportunity.";
        add(
            &mut violations,
            "involvement_type",
            ViolationCode::InvalidValue,
            text,
        );
    }
    violations
}

/// Path of the postal code.
pub const POSTAL_CODE: &str = "customer.account.address.postal_code";

/// The format of the postal code, which a submission requires (OPP-014).
pub fn postal_code(details: &Details, violations: &mut Vec<Violation>) {
    if let Some(text) = postal_code_text(&details.customer.account.address) {
        add(violations, POSTAL_CODE, ViolationCode::InvalidStringFormat, text);
    }
}

/// The error text of AWS Partner Central for a postal code that does not have the format of its country, which a draft
/// gets as a warning. `None` if the code is empty or valid.
pub fn postal_code_text(address: &Address) -> Option<String> {
    let (country, code) = (address.country_code.reveal(), address.postal_code.reveal());
    if code.is_empty() || postal::is_valid(country, code) {
        return None;
    }
    let name = COUNTRY.label(country);
    let format = postal::documented_format(country).unwrap_or_default();
    Some(format!(
        "The postal code is invalid for country {name}, {name} postal code must be in {format} format."
    ))
}

/// A registered solution is required. Before COMMITTED a description suffices, unless the operator disables it
/// (OPP-026).
pub fn solution(details: &Details, facts: &Facts<'_>, violations: &mut Vec<Violation>) {
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
            "Must not be {} without a registered solution, AWS Marketplace solution or AWS Marketplace product.",
            stage.name()
        );
        add(violations, "life_cycle.stage", ViolationCode::InvalidValue, text);
    } else if !facts.policy.solution_in_words || details.project.other_solution_description.is_empty() {
        let text = match facts.policy.solution_in_words {
            true => {
                "Must have a solution, an AWS Marketplace solution or an AWS Marketplace product. If none is \
                 registered, describe the solution in project.other_solution_description."
            }
            false => "Must have a solution, an AWS Marketplace solution or an AWS Marketplace product.",
        };
        add(
            violations,
            "related_entity_identifiers",
            ViolationCode::RequiredFieldMissing,
            text,
        );
    }
}

/// For a customer in the industry Government a submission must say whether the opportunity is classified (OPP-017).
pub fn government_answer(details: &Details, violations: &mut Vec<Violation>) {
    if lacks_government_answer(details) {
        add(
            violations,
            "national_security",
            ViolationCode::RequiredFieldMissing,
            GOVERNMENT_QUESTION,
        );
    }
}

/// The error text of [`government_answer`], which a draft gets as a warning.
pub const GOVERNMENT_QUESTION: &str = "Is required for customers in the industry Government: state true or false, \
                                       whether the opportunity concerns classified national-security information.";

/// Whether the question of [`government_answer`] is unanswered.
pub fn lacks_government_answer(details: &Details) -> bool {
    details.customer.account.industry == GOVERNMENT && details.national_security.is_none()
}

/// An opportunity that AWS returned is not closed: it could never be submitted (OPP-024, OPP-040).
pub fn open_correction(details: &Details, violations: &mut Vec<Violation>) {
    if details.life_cycle.stage.is_terminal() {
        let text =
            "Must be an open stage in review status ACTION_REQUIRED: only an approved opportunity is closed.";
        add(violations, "life_cycle.stage", ViolationCode::InvalidValue, text);
    }
}

/// A closed opportunity cannot be submitted (OPP-024).
pub fn open_stage(details: &Details, violations: &mut Vec<Violation>) {
    if details.life_cycle.stage.is_terminal() {
        let text = format!(
            "Must not be {} at submission. Submit early, once the stage is QUALIFIED.",
            details.life_cycle.stage.name()
        );
        add(violations, "life_cycle.stage", ViolationCode::InvalidValue, text);
    }
}

pub fn add(violations: &mut Vec<Violation>, field: &str, code: ViolationCode, text: impl Into<String>) {
    violations.push(Violation::new(&FieldPath::root().field(field), code, text));
}

fn missing(field: &str, violations: &mut Vec<Violation>) {
    add(
        violations,
        field,
        ViolationCode::RequiredFieldMissing,
        "Is required.",
    );
}

fn at_least_one(field: &str, violations: &mut Vec<Violation>) {
    add(
        violations,
        field,
        ViolationCode::RequiredFieldMissing,
        "Must have at least one value.",
    );
}

fn required(value: &Pii<String>, field: &str, violations: &mut Vec<Violation>) {
    if value.is_empty() {
        missing(field, violations);
    }
}

pub fn not_in_list(list: &StandardList, field: &str) -> Violation {
    Violation::not_in(list, &FieldPath::root().field(field))
}

/// Like [`not_in_list`], without the rejected value, which may be personal data.
fn personal_value_not_in_list(list: &StandardList, field: &str, violations: &mut Vec<Violation>) {
    violations.push(not_in_list(list, field));
}

fn each_in_list(values: &[String], list: &StandardList, field: &str, violations: &mut Vec<Violation>) {
    for (index, value) in values.iter().enumerate().filter(|(_, value)| !list.has(value)) {
        violations.push(not_in_list(list, &format!("{field}[{index}]")).with_rejected_value(value));
    }
}
