//! A case of a rule of opportunity records, and how it is checked: shared by the tables of cases.

use cosell_types::Money;
use cosell_types::ViolationCode::{self};

use super::fixtures::{draft, facts, member, minimal, now, spend, submittable, today};
use super::values::{InvolvementType, MarketingSource, PaymentFrequency, Stage, Visibility};
use super::{Details, ExpectedCustomerSpend, Facts, Field, Opportunity, Rule};

/// The operation that validates the record.
#[derive(Clone, Copy, Debug)]
pub(super) enum CheckedAt {
    Create,
    Submit(InvolvementType, Visibility),
    Launch,
}

pub(super) struct Case {
    pub(super) rule: &'static str,
    pub(super) at: CheckedAt,
    pub(super) change: fn(&mut Details),
    pub(super) facts: Facts<'static>,
    pub(super) expected: Vec<(&'static str, ViolationCode)>,
}

pub(super) const CO_SELL: CheckedAt = CheckedAt::Submit(InvolvementType::CoSell, Visibility::Full);
pub(super) const FOR_VISIBILITY: CheckedAt =
    CheckedAt::Submit(InvolvementType::ForVisibilityOnly, Visibility::Full);

/// A case that satisfies the rule.
pub(super) fn keeps(rule: &'static str, at: CheckedAt, change: fn(&mut Details)) -> Case {
    Case {
        rule,
        at,
        change,
        facts: facts(),
        expected: Vec::new(),
    }
}

/// A case that violates the rule at one field.
pub(super) fn breaks(
    rule: &'static str,
    at: CheckedAt,
    change: fn(&mut Details),
    field: &'static str,
    code: ViolationCode,
) -> Case {
    Case {
        expected: vec![(field, code)],
        ..keeps(rule, at, change)
    }
}

impl Case {
    /// Adds an expected violation that has the same cause.
    pub(super) fn and(mut self, field: &'static str, code: ViolationCode) -> Self {
        self.expected.push((field, code));
        self
    }

    pub(super) fn of_consulting_partner(mut self) -> Self {
        self.facts.partner_types = vec!["CONSULTING_PARTNER".to_owned()];
        self
    }

    pub(super) fn run(&self) -> Vec<(String, ViolationCode)> {
        let mut details = match self.at {
            CheckedAt::Create => minimal(),
            CheckedAt::Submit(InvolvementType::ForVisibilityOnly, _) => Details {
                primary_needs_from_aws: Vec::new(),
                ..submittable()
            },
            CheckedAt::Submit(..) | CheckedAt::Launch => submittable(),
        };
        let launch_details = details.clone();
        if !matches!(self.at, CheckedAt::Launch) {
            (self.change)(&mut details);
        }
        let actor = member("creator");
        let template = draft(minimal());
        let created = Opportunity::create(
            template.id(),
            template.account().clone(),
            actor.clone(),
            details,
            &self.facts,
            now(),
        );
        let outcome = match (created, self.at) {
            (Ok((mut record, _)), CheckedAt::Submit(involvement, visibility)) => record
                .submit(&actor, involvement, visibility, &self.facts, now())
                .map(drop),
            (Ok(_), CheckedAt::Launch) => launch_with(launch_details, self.change, &self.facts),
            (created, _) => created.map(drop),
        };
        match outcome {
            Ok(()) => Vec::new(),
            Err(Rule::Invalid(violations)) => violations
                .into_iter()
                .map(|violation| {
                    assert!(!violation.description.is_empty(), "{violation:?}");
                    (violation.field, violation.code)
                })
                .collect(),
            Err(other) => panic!("{}: {other:?}", self.rule),
        }
    }
}

/// Launches an approved record today, after applying `change` to the update.
fn launch_with(details: Details, change: fn(&mut Details), facts: &Facts<'_>) -> Result<(), Rule> {
    let mut record =
        super::fixtures::in_status(super::values::ReviewStatus::Approved, InvolvementType::CoSell);
    let mut input = details;
    input.life_cycle.stage = Stage::Launched;
    input.life_cycle.target_close_date = Some(today());
    change(&mut input);
    let fields = [
        Field::Stage,
        Field::TargetCloseDate,
        Field::AwsAccountId,
        Field::ClosedLostReason,
    ];
    record
        .update(&member("creator"), &fields, &input, facts, now())
        .map(drop)
}

pub(super) fn self_spend(units: i64) -> ExpectedCustomerSpend {
    ExpectedCustomerSpend {
        frequency: Some(PaymentFrequency::OneTime),
        target_company: "Self".to_owned(),
        ..spend(units)
    }
}

pub(super) fn in_currency(code: &str) -> ExpectedCustomerSpend {
    let mut entry = spend(100);
    entry.amount = entry.amount.map(|amount| Money {
        currency: code.parse().expect("a currency"),
        ..amount
    });
    entry
}

pub(super) fn set_us_address(details: &mut Details) {
    let address = &mut details.customer.account.address;
    address.country_code = "US".into();
    address.postal_code = "98109".into();
    address.state_or_region = "Washington".into();
}

pub(super) fn set_national_security(details: &mut Details) {
    details.national_security = Some(true);
    let account = &mut details.customer.account;
    account.industry = "Government".to_owned();
    account.company_name = "".into();
    account.website_url = "".into();
    account.address = super::Address::default();
}

pub(super) fn set_marketing_activity(details: &mut Details) {
    details.marketing.source = Some(MarketingSource::MarketingActivity);
    details.marketing.aws_funding_used = Some(true);
}

pub(super) const TEAM: &str = "opportunity_team[0].business_title";
pub(super) const PARENT: &str = "project.related_opportunity_id";
pub(super) const COMPETITORS: &str = "project.other_competitor_names";
pub(super) const SPEND: &str = "project.expected_customer_spend";
pub(super) const ENTRY: &str = "project.expected_customer_spend[0].amount";
pub(super) const DURATION: &str = "project.expected_contract_duration";
pub(super) const POSTAL: &str = "customer.account.address.postal_code";
pub(super) const REGION: &str = "customer.account.address.state_or_region";
pub(super) const CLOSE: &str = "life_cycle.target_close_date";
pub(super) const STAGE: &str = "life_cycle.stage";
