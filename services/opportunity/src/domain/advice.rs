//! What a caller is told although nothing was refused: what of the request was taken for something else, and what will
//! be in the way later (OPP-042).

use cosell_types::ClosedList as _;
use cosell_types::standard::StandardList;

use super::reference::{APN_PROGRAM, COUNTRY, INDUSTRY, MARKETING_USE_CASE, TRAINING, USE_CASE};
use super::values::{OpportunityType, Stage};
use super::{Details, Facts, Field};

/// Longest title and company name that the original's spreadsheets take.
const SPREADSHEET_TITLE: usize = 60;
const SPREADSHEET_COMPANY: usize = 80;

/// A hint about a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Its path in the record.
    pub field: String,
    /// What to know about it, in a sentence without personal data.
    pub text: String,
}

impl Advice {
    /// A hint.
    pub fn new(field: &str, text: impl Into<String>) -> Self {
        Self {
            field: field.to_owned(),
            text: text.into(),
        }
    }

    /// Whether it is about this field, or about a part of it.
    pub fn is_about(&self, field: Field) -> bool {
        let rest = self.field.strip_prefix(field.path());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
    }
}

/// Hints about what was given and what became of it.
pub fn on_change(given: &Details, kept: &Details) -> Vec<Advice> {
    let mut hints = Vec::new();
    if given.project.related_opportunity_id.is_some() && kept.project.related_opportunity_id.is_none() {
        let text = format!(
            "is ignored: {} has no opportunity that it expands or renews",
            OpportunityType::NetNewBusiness.name()
        );
        hints.push(Advice::new("project.related_opportunity_id", text));
    }
    let given_spend = &given.project.expected_customer_spend;
    for (index, (given, kept)) in given_spend
        .iter()
        .zip(&kept.project.expected_customer_spend)
        .enumerate()
    {
        if given.target_company != kept.target_company {
            let text = "was taken for AWS: without a contract duration the spend is with AWS";
            let field = format!("project.expected_customer_spend[{index}].target_company");
            hints.push(Advice::new(&field, text));
        }
    }
    if given.project.title.reveal().chars().count() > SPREADSHEET_TITLE {
        let text = format!(
            "is longer than {SPREADSHEET_TITLE} characters, which spreadsheets of the original refuse"
        );
        hints.push(Advice::new("project.title", text));
    }
    if given.customer.account.company_name.reveal().chars().count() > SPREADSHEET_COMPANY {
        let text = format!(
            "is longer than {SPREADSHEET_COMPANY} characters, which spreadsheets of the original refuse"
        );
        hints.push(Advice::new("customer.account.company_name", text));
    }
    let account = &kept.customer.account;
    let country = account.address.country_code.reveal();
    for (list, field, values) in [
        (
            &INDUSTRY,
            "customer.account.industry",
            std::slice::from_ref(&account.industry),
        ),
        (
            &COUNTRY,
            "customer.account.address.country_code",
            std::slice::from_ref(country),
        ),
        (
            &USE_CASE,
            "project.customer_use_case",
            std::slice::from_ref(&kept.project.customer_use_case),
        ),
        (&APN_PROGRAM, "project.apn_programs", &kept.project.apn_programs),
        (
            &MARKETING_USE_CASE,
            "marketing.use_cases",
            &kept.marketing.use_cases,
        ),
    ] {
        hints.extend(values.iter().filter_map(|value| deprecated(list, field, value)));
    }
    hints
}

fn deprecated(list: &StandardList, field: &str, value: &str) -> Option<Advice> {
    let instead = list.instead_of(value)?.join(", ");
    let text = format!(
        "is a value of the list `{}` that is not to be chosen any more; choose {instead}",
        list.name
    );
    Some(Advice::new(field, text))
}

/// Hints about a submission.
pub fn on_submission(details: &Details, facts: &Facts<'_>) -> Vec<Advice> {
    let mut hints = Vec::new();
    if details.life_cycle.stage < Stage::Qualified {
        let text = format!(
            "is {}; AWS expects deals that are at least {}",
            details.life_cycle.stage.name(),
            Stage::Qualified.name()
        );
        hints.push(Advice::new("life_cycle.stage", text));
    }
    let trains = facts.partner_types.iter().any(|kind| kind == "TRAINING_PARTNER");
    if trains && details.project.customer_use_case != TRAINING {
        let text = format!("is `{TRAINING}` where a training partner sells training");
        hints.push(Advice::new("project.customer_use_case", text));
    }
    hints
}
