//! The validation rules of a record as a table of cases. For each rule at least one case satisfies it and one violates
//! it, with the smallest possible difference. `tests/architecture.rs` checks that docs/DOMAIN.md and these cases agree.

use cosell_types::OpportunityId;
use cosell_types::ViolationCode::{
    InvalidEnumValue, InvalidStringFormat, InvalidValue, RequiredFieldMissing, ValueOutOfRange,
};

use super::Contact;
use super::fixtures::today;
use super::tests_case::{
    CLOSE, CO_SELL, COMPETITORS, Case, CheckedAt, FOR_VISIBILITY, PARENT, POSTAL, REGION, TEAM, breaks,
    keeps, set_marketing_activity, set_national_security, set_us_address,
};
use super::tests_submission_cases::{spend_cases, submission_cases};
use super::values::{ClosedLostReason, CompetitorName, MarketingSource, OpportunityType, Stage};

fn base_cases() -> Vec<Case> {
    vec![
        keeps("OPP-005", CheckedAt::Create, |d| {
            d.opportunity_type = OpportunityType::Expansion;
            d.project.related_opportunity_id = OpportunityId::from_number(1);
        }),
        // With NET_NEW_BUSINESS the related opportunity is ignored, whatever its id.
        keeps("OPP-005", CheckedAt::Create, |d| {
            d.project.related_opportunity_id = OpportunityId::from_number(2)
        }),
        breaks(
            "OPP-005",
            CheckedAt::Create,
            |d| {
                d.opportunity_type = OpportunityType::FlatRenewal;
                d.project.related_opportunity_id = OpportunityId::from_number(2);
            },
            PARENT,
            InvalidValue,
        ),
        keeps("OPP-007", CheckedAt::Create, |d| {
            d.opportunity_team = vec![Contact {
                business_title: "partneraccountmanager".into(),
                ..Contact::default()
            }];
        }),
        breaks(
            "OPP-007",
            CheckedAt::Create,
            |d| d.opportunity_team = vec![Contact::default()],
            TEAM,
            InvalidEnumValue,
        ),
        keeps("OPP-008", CheckedAt::Create, |d| {
            d.project.competitor_name = Some(CompetitorName::Other);
            d.project.other_competitor_names = "Competitor Ltd".to_owned();
        }),
        breaks(
            "OPP-008",
            CheckedAt::Create,
            |d| d.project.competitor_name = Some(CompetitorName::Other),
            COMPETITORS,
            RequiredFieldMissing,
        ),
        breaks(
            "OPP-008",
            CheckedAt::Create,
            |d| d.project.other_competitor_names = "Competitor Ltd".to_owned(),
            COMPETITORS,
            InvalidValue,
        ),
        keeps("OPP-010", CheckedAt::Create, |_| {}),
        breaks(
            "OPP-010",
            CheckedAt::Create,
            |d| d.project.title = "".into(),
            "project.title",
            RequiredFieldMissing,
        ),
        keeps("OPP-011", CheckedAt::Create, |d| {
            d.customer.account.industry = "energy – oil & gas".to_owned()
        }),
        breaks(
            "OPP-011",
            CheckedAt::Create,
            |d| d.customer.account.industry = "Alchemy".to_owned(),
            "customer.account.industry",
            InvalidEnumValue,
        ),
        keeps("OPP-012", CheckedAt::Create, |d| {
            d.customer.account.industry = "Other".to_owned();
            d.customer.account.other_industry = "Circus".to_owned();
        }),
        breaks(
            "OPP-012",
            CheckedAt::Create,
            |d| d.customer.account.industry = "Other".to_owned(),
            "customer.account.other_industry",
            RequiredFieldMissing,
        ),
        keeps("OPP-013", CheckedAt::Create, |d| {
            d.customer.account.website_url = "alder.example".into()
        }),
        breaks(
            "OPP-013",
            CheckedAt::Create,
            |d| d.customer.account.website_url = "".into(),
            "customer.account.website_url",
            RequiredFieldMissing,
        ),
        keeps("OPP-014", CheckedAt::Create, set_us_address),
        breaks(
            "OPP-014",
            CheckedAt::Create,
            |d| {
                set_us_address(d);
                d.customer.account.address.state_or_region = "Hamburg".into();
            },
            REGION,
            InvalidEnumValue,
        ),
        breaks(
            "OPP-014",
            CheckedAt::Create,
            |d| d.customer.account.address.postal_code = "".into(),
            POSTAL,
            RequiredFieldMissing,
        ),
        // The format is checked only at submission.
        keeps("OPP-014", CheckedAt::Create, |d| {
            d.customer.account.address.postal_code = "2045".into()
        }),
        breaks(
            "OPP-014",
            CO_SELL,
            |d| d.customer.account.address.postal_code = "2045".into(),
            POSTAL,
            InvalidStringFormat,
        ),
        keeps("OPP-014", CO_SELL, |d| {
            d.customer.account.address.country_code = "GB".into();
            d.customer.account.address.postal_code = " sw1a 1aa".into();
        }),
        keeps("OPP-015", CheckedAt::Create, |d| {
            d.life_cycle.target_close_date = Some(today() + chrono::TimeDelta::days(1));
        }),
        breaks(
            "OPP-015",
            CheckedAt::Create,
            |d| d.life_cycle.target_close_date = Some(today()),
            CLOSE,
            ValueOutOfRange,
        ),
        keeps("OPP-017", CheckedAt::Create, set_national_security),
        breaks(
            "OPP-017",
            CheckedAt::Create,
            |d| d.national_security = Some(true),
            "national_security",
            InvalidValue,
        ),
        breaks(
            "OPP-017",
            FOR_VISIBILITY,
            set_national_security,
            "involvement_type",
            InvalidValue,
        ),
        keeps("OPP-018", CheckedAt::Create, |d| {
            d.software_revenue.effective_date = Some(today());
            d.software_revenue.expiration_date = Some(today());
        }),
        breaks(
            "OPP-018",
            CheckedAt::Create,
            |d| {
                d.software_revenue.effective_date = Some(today());
                d.software_revenue.expiration_date = today().pred_opt();
            },
            "software_revenue.expiration_date",
            ValueOutOfRange,
        ),
        keeps("OPP-025", CheckedAt::Create, |d| {
            d.life_cycle.stage = Stage::ClosedLost;
            d.life_cycle.closed_lost_reason = Some(ClosedLostReason::Price);
        }),
        breaks(
            "OPP-025",
            CheckedAt::Create,
            |d| d.life_cycle.closed_lost_reason = Some(ClosedLostReason::Price),
            "life_cycle.closed_lost_reason",
            InvalidValue,
        ),
        keeps("OPP-029", CheckedAt::Create, set_marketing_activity),
        keeps("OPP-029", CheckedAt::Create, |d| {
            d.marketing.source = Some(MarketingSource::None)
        }),
        breaks(
            "OPP-029",
            CheckedAt::Create,
            |d| d.marketing.source = Some(MarketingSource::MarketingActivity),
            "marketing.aws_funding_used",
            RequiredFieldMissing,
        ),
        breaks(
            "OPP-029",
            CheckedAt::Create,
            |d| {
                set_marketing_activity(d);
                d.marketing.campaign_name = "Autumn".to_owned();
                d.marketing.source = Some(MarketingSource::None);
            },
            "marketing.aws_funding_used",
            InvalidValue,
        )
        .and("marketing.campaign_name", InvalidValue),
    ]
}

#[test]
fn opp_005_008_016_028_029_043_record_rule_cases_yield_expected_violations() {
    let mut mismatches = Vec::new();
    let cases = [base_cases(), spend_cases(), submission_cases()];
    for case in cases.into_iter().flatten() {
        let violations = case.run();
        let expected: Vec<_> = case
            .expected
            .iter()
            .map(|(field, code)| ((*field).to_owned(), *code))
            .collect();
        if violations != expected {
            mismatches.push(format!(
                "{} at {:?}: {violations:?}, not {expected:?}",
                case.rule, case.at
            ));
        }
    }
    assert!(mismatches.is_empty(), "{mismatches:#?}");
}
