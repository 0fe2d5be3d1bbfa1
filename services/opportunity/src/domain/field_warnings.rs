//! Warnings about accepted input: values that were replaced, deprecated values, and values that AWS Partner Central
//! does not accept or expect (OPP-042).

use cosell_types::standard::StandardList;
use cosell_types::{ClosedList as _, contains_path};

use super::actions::NOT_CLONED;
use super::check::{GOVERNMENT_QUESTION, POSTAL_CODE, lacks_government_answer, postal_code_text};
use super::reference::{APN_PROGRAM, COUNTRY, INDUSTRY, MARKETING_USE_CASE, TRAINING, USE_CASE};
use super::values::{OpportunityType, RelatedEntityType, Stage};
use super::{Details, Event, Facts, Field};

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

    /// Whether the warning is about this field or a part of it, or a change of this field causes it.
    pub fn concerns(&self, field: Field) -> bool {
        contains_path(field.path(), &self.field)
            || match field {
                Field::Industry => self.field == Field::NationalSecurity.path(),
                Field::CountryCode => self.field == POSTAL_CODE,
                _ => false,
            }
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
    if lacks_government_answer(stored) {
        warnings.push(FieldWarning::new("national_security", GOVERNMENT_QUESTION));
    }
    if let Some(text) = postal_code_text(&stored.customer.account.address) {
        warnings.push(FieldWarning::new(POSTAL_CODE, text));
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

/// Warnings about what a clone does not have of its source, except for the fields that the caller stated (OPP-037).
pub fn on_clone(source: &Details, clone: &Details, stated: &[Field]) -> Vec<FieldWarning> {
    let mut warnings = Vec::new();
    for field in NOT_CLONED {
        if !stated.contains(&field) && field.differs(source, clone) {
            let text = match field {
                Field::Stage => format!(
                    "Was set to {}, the stage of every new clone.",
                    clone.life_cycle.stage.name()
                ),
                _ => "Was not copied: it belongs to the cloned opportunity.".to_owned(),
            };
            warnings.push(FieldWarning::new(field.path(), text));
        }
    }
    for kind in RelatedEntityType::ALL {
        let copied = clone.related_entity_identifiers.identifiers(*kind);
        let all = source.related_entity_identifiers.identifiers(*kind).iter();
        let missing: Vec<_> = all
            .filter(|id| !copied.contains(id))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            let reason = match kind.is_offer() {
                true => "an offer belongs to one opportunity",
                false => "it can no longer be associated",
            };
            let text = format!("Was not copied: {} ({reason}).", missing.join(", "));
            warnings.push(FieldWarning::new(kind.path(), text));
        }
    }
    warnings
}

/// The warning that a loss moved the target close date, which the caller did not state, to today (OPP-043).
pub fn on_closing(event: Option<&Event>, selected: &[Field]) -> Option<FieldWarning> {
    let date = Field::TargetCloseDate;
    let is_moved = matches!(event, Some(Event::StageChanged { fields, .. }) if fields.contains(&date));
    (is_moved && !selected.contains(&date)).then(|| {
        let text = "Was set to today, the day on which the opportunity was lost. State target_close_date for another \
                    day.";
        FieldWarning::new(date.path(), text)
    })
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
