//! Cases for `tests_cases`: expected spend and contract (OPP-016, OPP-028), submission and launch.

use cosell_types::ViolationCode::{InvalidEnumValue, InvalidValue, RequiredFieldMissing, ValueOutOfRange};

use super::ExpectedCustomerSpend;
use super::fixtures::{spend, today};
use super::tests_case::{
    CLOSE, CO_SELL, Case, CheckedAt, DURATION, ENTRY, FOR_VISIBILITY, SPEND, STAGE, breaks, in_currency,
    keeps, self_spend,
};
use super::values::{
    ClosedLostReason, InvolvementType, PaymentFrequency, PrimaryNeedFromAws, SalesActivity, Stage, Visibility,
};

pub(super) fn spend_cases() -> Vec<Case> {
    vec![
        keeps("OPP-016", CheckedAt::Create, |d| {
            d.project.expected_customer_spend = vec![in_currency("EUR")]
        }),
        breaks(
            "OPP-016",
            CheckedAt::Create,
            |d| d.project.expected_customer_spend = vec![in_currency("JPY")],
            "project.expected_customer_spend[0].amount.currency_code",
            InvalidEnumValue,
        ),
        breaks(
            "OPP-016",
            CheckedAt::Create,
            |d| d.project.expected_customer_spend.clear(),
            SPEND,
            RequiredFieldMissing,
        ),
        breaks(
            "OPP-016",
            CheckedAt::Create,
            |d| d.project.expected_customer_spend = vec![spend(0)],
            ENTRY,
            ValueOutOfRange,
        ),
        // 1,200 a year is normalized to 100 a month.
        keeps("OPP-016", CheckedAt::Create, |d| {
            d.project.expected_customer_spend = vec![ExpectedCustomerSpend {
                frequency: Some(PaymentFrequency::Annual),
                ..spend(1_200)
            }];
        }),
        breaks(
            "OPP-016",
            CheckedAt::Create,
            |d| d.project.expected_customer_spend[0].frequency = Some(PaymentFrequency::OneTime),
            "project.expected_customer_spend[0].frequency",
            InvalidValue,
        ),
        keeps("OPP-016", CheckedAt::Create, |d| {
            d.project.aws_partition = "aws-eusc".to_owned();
            d.project.expected_customer_spend = vec![in_currency("EUR")];
        }),
        breaks(
            "OPP-016",
            CheckedAt::Create,
            |d| d.project.aws_partition = "aws-eusc".to_owned(),
            "project.expected_customer_spend[0].amount.currency_code",
            InvalidValue,
        ),
        keeps("OPP-028", CheckedAt::Create, |d| {
            d.project.expected_customer_spend.push(self_spend(50_000));
            d.project.expected_contract_duration = Some(36);
        }),
        // Without a contract duration any target company is normalized to `AWS`.
        keeps("OPP-028", CheckedAt::Create, |d| {
            d.project.expected_customer_spend[0].target_company = "Other Ltd".to_owned();
        }),
        breaks(
            "OPP-028",
            CheckedAt::Create,
            |d| d.project.expected_customer_spend.push(self_spend(50_000)),
            DURATION,
            InvalidValue,
        ),
        breaks(
            "OPP-028",
            CheckedAt::Create,
            |d| d.project.expected_contract_duration = Some(36),
            SPEND,
            InvalidValue,
        ),
        breaks(
            "OPP-028",
            CheckedAt::Create,
            |d| {
                d.project
                    .expected_customer_spend
                    .extend([self_spend(50_000), self_spend(1)]);
                d.project.expected_contract_duration = Some(36);
            },
            SPEND,
            InvalidValue,
        ),
        breaks(
            "OPP-028",
            CheckedAt::Create,
            |d| {
                d.project.expected_customer_spend.push(self_spend(50_000));
                d.project.expected_customer_spend[0].target_company = "Other Ltd".to_owned();
                d.project.expected_contract_duration = Some(36);
            },
            "project.expected_customer_spend[0].target_company",
            InvalidValue,
        ),
        breaks(
            "OPP-028",
            CheckedAt::Create,
            |d| d.project.expected_customer_spend.push(in_currency("EUR")),
            "project.expected_customer_spend[1].amount.currency_code",
            InvalidValue,
        ),
        breaks(
            "OPP-028",
            CheckedAt::Create,
            |d| {
                d.project.expected_customer_spend.push(self_spend(50_000));
                d.project.expected_customer_spend[0].estimation_url =
                    "https://calculator.aws/#/estimate?id=0123456789abcdef0123456789abcdef".to_owned();
                d.project.expected_contract_duration = Some(36);
            },
            "project.expected_customer_spend[0].estimation_url",
            InvalidValue,
        ),
    ]
}

pub(super) fn submission_cases() -> Vec<Case> {
    vec![
        keeps("OPP-019", CO_SELL, |_| {}),
        breaks(
            "OPP-019",
            CO_SELL,
            |d| d.project.customer_use_case.clear(),
            "project.customer_use_case",
            RequiredFieldMissing,
        ),
        keeps("OPP-020", CO_SELL, |d| {
            d.primary_needs_from_aws = vec![PrimaryNeedFromAws::DealSupport]
        }),
        breaks(
            "OPP-020",
            CO_SELL,
            |d| d.primary_needs_from_aws.clear(),
            "primary_needs_from_aws",
            RequiredFieldMissing,
        ),
        keeps("OPP-021", FOR_VISIBILITY, |_| {}),
        breaks(
            "OPP-021",
            FOR_VISIBILITY,
            |d| d.primary_needs_from_aws = vec![PrimaryNeedFromAws::DealSupport],
            "primary_needs_from_aws",
            InvalidValue,
        ),
        keeps(
            "OPP-022",
            CheckedAt::Submit(InvolvementType::ForVisibilityOnly, Visibility::Limited),
            |_| {},
        ),
        breaks(
            "OPP-022",
            CheckedAt::Submit(InvolvementType::CoSell, Visibility::Limited),
            |_| {},
            "visibility",
            InvalidValue,
        ),
        keeps("OPP-023", FOR_VISIBILITY, |d| {
            d.project.sales_activities = vec![SalesActivity::SowSigned]
        }),
        breaks(
            "OPP-023",
            FOR_VISIBILITY,
            |d| d.project.sales_activities.clear(),
            "project.sales_activities",
            RequiredFieldMissing,
        ),
        keeps("OPP-024", CO_SELL, |d| d.life_cycle.stage = Stage::Committed),
        breaks(
            "OPP-024",
            CO_SELL,
            |d| d.life_cycle.stage = Stage::Launched,
            STAGE,
            InvalidValue,
        ),
        keeps("OPP-026", CO_SELL, |d| {
            d.related_entity_identifiers.solutions.clear();
            d.project.other_solution_description = "Landing zone".into();
        }),
        breaks(
            "OPP-026",
            CO_SELL,
            |d| d.related_entity_identifiers.solutions.clear(),
            "related_entity_identifiers",
            RequiredFieldMissing,
        ),
        breaks(
            "OPP-026",
            CO_SELL,
            |d| {
                d.related_entity_identifiers.solutions.clear();
                d.project.other_solution_description = "Landing zone".into();
                d.life_cycle.stage = Stage::Committed;
            },
            STAGE,
            InvalidValue,
        ),
        keeps("OPP-043", CheckedAt::Launch, |_| {}),
        keeps("OPP-043", CheckedAt::Launch, |d| {
            d.customer.account.aws_account_id = "123456789012".into()
        })
        .of_consulting_partner(),
        breaks(
            "OPP-043",
            CheckedAt::Launch,
            |_| {},
            "customer.account.aws_account_id",
            RequiredFieldMissing,
        )
        .of_consulting_partner(),
        breaks(
            "OPP-043",
            CheckedAt::Launch,
            |d| d.life_cycle.target_close_date = Some(today() + chrono::TimeDelta::days(1)),
            CLOSE,
            ValueOutOfRange,
        ),
        breaks(
            "OPP-043",
            CheckedAt::Launch,
            |d| d.life_cycle.closed_lost_reason = Some(ClosedLostReason::Price),
            "life_cycle.closed_lost_reason",
            InvalidValue,
        ),
    ]
}
