//! Warnings about accepted input: values that were replaced, deprecated values, and values that AWS Partner Central
//! does not accept or expect (OPP-042).

use cosell_types::ClosedList as _;
use cosell_types::standard::StandardList;

use super::reference::{APN_PROGRAM, COUNTRY, INDUSTRY, MARKETING_USE_CASE, TRAINING, USE_CASE};
use super::values::{OpportunityType, Stage};
use super::{Details, Facts, Field};

/// Longest title and company name, in characters, that AWS's bulk templates accept.
const MAX_TEMPLATE_TITLE: usize = 60;
const MAX_TEMPLATE_COMPANY: usize = 80;

/// A warning about a field of an accepted request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldWarning {
    /// Path relative to the opportunity.
    pub field: String,
    /// A sentence without personal data.
    pub text: String,
}

impl FieldWarning {
    /// A warning at this path.
    pub fn new(field: &str, text: impl Into<String>) -> Self {
        Self {
            field: field.to_owned(),
            text: text.into(),
        }
    }

    /// Whether the warning is about this field or a part of it.
    pub fn concerns(&self, field: Field) -> bool {
        let rest = self.field.strip_prefix(field.path());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
    }
}

/// Warnings about the input of a create, update or clone, compared with what was stored.
pub fn on_change(input: &Details, stored: &Details) -> Vec<FieldWarning> {
    let mut warnings = Vec::new();
    if input.project.related_opportunity_id.is_some() && stored.project.related_opportunity_id.is_none() {
        let text = format!(
            "Is ignored: an opportunity of the type {} has no parent opportunity.",
            OpportunityType::NetNewBusiness.name()
        );
        warnings.push(FieldWarning::new("project.related_opportunity_id", text));
    }
    let input_spend = &input.project.expected_customer_spend;
    for (index, (input, stored)) in input_spend
        .iter()
        .zip(&stored.project.expected_customer_spend)
        .enumerate()
    {
        if input.target_company != stored.target_company {
            let text = "Was replaced by AWS: without a contract duration all spend is with AWS.";
            let field = format!("project.expected_customer_spend[{index}].target_company");
            warnings.push(FieldWarning::new(&field, text));
        }
    }
    if input.project.title.reveal().chars().count() > MAX_TEMPLATE_TITLE {
        let text =
            format!("Is longer than {MAX_TEMPLATE_TITLE} characters, which AWS's bulk templates refuse.");
        warnings.push(FieldWarning::new("project.title", text));
    }
    if input.customer.account.company_name.reveal().chars().count() > MAX_TEMPLATE_COMPANY {
        let text =
            format!("Is longer than {MAX_TEMPLATE_COMPANY} characters, which AWS's bulk templates refuse.");
        warnings.push(FieldWarning::new("customer.account.company_name", text));
    }
    let account = &stored.customer.account;
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
            std::slice::from_ref(&stored.project.customer_use_case),
        ),
        (&APN_PROGRAM, "project.apn_programs", &stored.project.apn_programs),
        (
            &MARKETING_USE_CASE,
            "marketing.use_cases",
            &stored.marketing.use_cases,
        ),
    ] {
        warnings.extend(values.iter().filter_map(|value| deprecated(list, field, value)));
    }
    warnings
}

fn deprecated(list: &StandardList, field: &str, value: &str) -> Option<FieldWarning> {
    let instead = list.replacements_of(value)?.join(", ");
    let text = format!(
        "Is a deprecated value of the list `{}`. Choose {instead} instead.",
        list.name
    );
    Some(FieldWarning::new(field, text))
}

/// Warnings about a submission.
pub fn on_submission(details: &Details, facts: &Facts<'_>) -> Vec<FieldWarning> {
    let mut warnings = Vec::new();
    if details.life_cycle.stage < Stage::Qualified {
        let text = format!(
            "Is {}; AWS expects opportunities that are {} or later.",
            details.life_cycle.stage.name(),
            Stage::Qualified.name()
        );
        warnings.push(FieldWarning::new("life_cycle.stage", text));
    }
    let is_training_partner = facts.partner_types.iter().any(|kind| kind == "TRAINING_PARTNER");
    if is_training_partner && details.project.customer_use_case != TRAINING {
        let text = format!("Should be `{TRAINING}` if the training partner sells training.");
        warnings.push(FieldWarning::new("project.customer_use_case", text));
    }
    warnings
}
