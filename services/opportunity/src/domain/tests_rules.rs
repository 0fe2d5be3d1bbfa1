//! Validation rules of creation and submission (OPP-007 to OPP-026): for each rule a valid record and an invalid one
//! that differs only in the validated field.

use chrono::Days;
use cosell_types::ViolationCode::{
    self, InvalidEnumValue, InvalidValue, RequiredFieldMissing, ValueOutOfRange,
};

use super::fixtures::{draft, facts, member, minimal, now, spend, submittable, today};
use super::values::{
    ClosedLostReason, InvolvementType, MarketingSource, PrimaryNeedFromAws, Stage, Visibility,
};
use super::{Contact, Details, Field, Opportunity, Rule};

type Violations = Vec<(String, ViolationCode)>;

fn violations_of(rule: Rule) -> Violations {
    match rule {
        Rule::Invalid(violations) => violations
            .into_iter()
            .map(|violation| (violation.field, violation.code))
            .collect(),
        other => panic!("{other:?}"),
    }
}

/// Violations at creation of a minimal record with a change.
fn create_violations(change: impl FnOnce(&mut Details)) -> Violations {
    let mut details = minimal();
    change(&mut details);
    let id = draft(minimal()).id();
    let account = draft(minimal()).account().clone();
    Opportunity::create(id, account, member("creator"), details, &facts(), now())
        .map_or_else(violations_of, |_| Vec::new())
}

/// Violations at submission of a submittable record with a change.
fn submit_violations(
    involvement: InvolvementType,
    visibility: Visibility,
    change: impl FnOnce(&mut Details),
) -> Violations {
    let mut details = submittable();
    change(&mut details);
    let mut record = draft(details);
    record
        .submit(&member("creator"), involvement, visibility, &facts(), now())
        .map_or_else(violations_of, |_| Vec::new())
}

fn co_sell_violations(change: impl FnOnce(&mut Details)) -> Violations {
    submit_violations(InvolvementType::CoSell, Visibility::Full, change)
}

fn single_violation(field: &str, code: ViolationCode) -> Violations {
    vec![(field.to_owned(), code)]
}

#[test]
fn opp_010_013_missing_creation_fields_are_reported_together() {
    assert_eq!(create_violations(|_| {}), []);
    let violations = create_violations(|details| *details = Details::default());
    let fields: Vec<_> = violations.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "customer.account.company_name",
            "customer.account.industry",
            "customer.account.website_url",
            "customer.account.address.country_code",
            "project.title",
            "project.customer_business_problem",
            "project.expected_customer_spend",
            "life_cycle.target_close_date",
        ]
    );
    assert!(violations.iter().all(|(_, code)| *code == RequiredFieldMissing));
}

#[test]
fn opp_011_values_outside_closed_lists_are_refused() {
    let violations = create_violations(|details| {
        details.customer.account.industry = "Alchemy".to_owned();
        details.customer.account.address.country_code = "XX".into();
        details.project.customer_use_case = "Magic".to_owned();
        details.project.apn_programs = vec!["Windows".to_owned(), "Doors".to_owned()];
        details.marketing.source = Some(MarketingSource::MarketingActivity);
        details.marketing.aws_funding_used = Some(false);
        details.marketing.use_cases = vec!["Fortune telling".to_owned()];
    });
    let expected = [
        "customer.account.industry",
        "customer.account.address.country_code",
        "project.customer_use_case",
        "project.apn_programs[1]",
        "marketing.use_cases[0]",
    ];
    assert_eq!(
        violations,
        expected.map(|field| (field.to_owned(), InvalidEnumValue))
    );
}

#[test]
fn opp_012_other_industry_requires_a_name() {
    let other = |name: &str| {
        let name = name.to_owned();
        create_violations(move |details| {
            details.customer.account.industry = "Other".to_owned();
            details.customer.account.other_industry = name;
        })
    };
    assert_eq!(other("Performing arts"), []);
    assert_eq!(
        other(""),
        single_violation("customer.account.other_industry", RequiredFieldMissing)
    );
}

#[test]
fn opp_014_postal_code_and_state_are_required_by_country() {
    let at = |country: &str, postal: &str, state: &str| {
        let (country, postal, state) = (country.to_owned(), postal.to_owned(), state.to_owned());
        create_violations(move |details| {
            let address = &mut details.customer.account.address;
            address.country_code = country.into();
            address.postal_code = postal.into();
            address.state_or_region = state.into();
        })
    };
    let postal = "customer.account.address.postal_code";
    let region = "customer.account.address.state_or_region";
    assert_eq!(at("AE", "", ""), []);
    assert_eq!(at("DE", "", ""), single_violation(postal, RequiredFieldMissing));
    assert_eq!(at("US", "99501", "Alaska"), []);
    assert_eq!(
        at("US", "99501", ""),
        single_violation(region, RequiredFieldMissing)
    );
    assert_eq!(
        at("US", "99501", "AK"),
        single_violation(region, InvalidEnumValue)
    );
    assert_eq!(at("DE", "20457", "Free and Hanseatic City"), []);
}

#[test]
fn opp_015_close_date_must_be_in_future_and_within_sixty_years() {
    let field = "life_cycle.target_close_date";
    let in_days = |days: i64| {
        create_violations(move |details| {
            details.life_cycle.target_close_date = today().checked_add_signed(chrono::TimeDelta::days(days));
        })
    };
    assert_eq!(in_days(1), []);
    assert_eq!(in_days(0), single_violation(field, ValueOutOfRange));
    assert_eq!(in_days(-1), single_violation(field, ValueOutOfRange));
    let sixty_years = (today()
        .checked_add_months(chrono::Months::new(720))
        .expect("a date")
        - today())
    .num_days();
    assert_eq!(in_days(sixty_years), []);
    assert_eq!(in_days(sixty_years + 1), single_violation(field, ValueOutOfRange));
}

#[test]
fn opp_015_past_close_date_does_not_block_other_updates() {
    let mut record = draft(minimal());
    let later = now() + Days::new(400);
    let mut input = record.details().clone();
    input.lead_source = "Fair".to_owned();
    assert!(
        record
            .update(&member("creator"), &[Field::LeadSource], &input, &facts(), later)
            .is_ok()
    );
    let mut record = draft(submittable());
    let submission = record.submit(
        &member("creator"),
        InvolvementType::CoSell,
        Visibility::Full,
        &facts(),
        later,
    );
    assert!(submission.is_ok(), "{submission:?}");
}

#[test]
fn opp_016_spend_requires_amount_currency_frequency_and_target_company() {
    let field = |rest: &str| format!("project.expected_customer_spend[0]{rest}");
    let with = |change: fn(&mut super::ExpectedCustomerSpend)| {
        create_violations(move |details| change(&mut details.project.expected_customer_spend[0]))
    };
    let currency = |entry: &mut super::ExpectedCustomerSpend, code: &str| {
        if let Some(amount) = &mut entry.amount {
            amount.currency = code.parse().expect("a currency");
        }
    };
    assert_eq!(with(|entry| *entry = spend(1_000_000_000_000_000)), []);
    assert_eq!(
        with(|entry| *entry = spend(0)),
        single_violation(&field(".amount"), ValueOutOfRange)
    );
    assert_eq!(
        with(|entry| *entry = spend(-1)),
        single_violation(&field(".amount"), ValueOutOfRange)
    );
    assert_eq!(
        with(|entry| *entry = spend(1_000_000_000_000_001)),
        single_violation(&field(".amount"), ValueOutOfRange)
    );
    assert_eq!(
        create_violations(|details| currency(&mut details.project.expected_customer_spend[0], "EUR")),
        []
    );
    let yen = create_violations(|details| currency(&mut details.project.expected_customer_spend[0], "JPY"));
    assert_eq!(
        yen,
        single_violation(&field(".amount.currency_code"), InvalidEnumValue)
    );
    assert_eq!(
        with(|entry| entry.amount = None),
        single_violation(&field(".amount"), RequiredFieldMissing)
    );
    let estimated = with(|entry| {
        entry.amount = None;
        entry.estimation_url = format!("https://calculator.aws/#/estimate?id={}", "0".repeat(32));
    });
    assert_eq!(estimated, [], "the estimation URL replaces the amount");
    assert_eq!(
        with(|entry| entry.frequency = None),
        single_violation(&field(".frequency"), RequiredFieldMissing)
    );
    let no_target = with(|entry| entry.target_company.clear());
    assert_eq!(
        no_target,
        single_violation(&field(".target_company"), RequiredFieldMissing)
    );
}

#[test]
fn opp_017_national_security_requires_government_and_relaxes_required_fields() {
    let national_security = |industry: &str| {
        let industry = industry.to_owned();
        create_violations(move |details| {
            details.national_security = Some(true);
            let account = &mut details.customer.account;
            account.industry = industry;
            account.website_url = "".into();
            account.address = super::Address::default();
        })
    };
    assert_eq!(national_security("Government"), []);
    assert_eq!(
        national_security("Retail"),
        single_violation("national_security", InvalidValue)
    );

    let mut details = minimal();
    details.national_security = Some(true);
    details.customer.account.industry = "Government".to_owned();
    assert_eq!(
        draft(details)
            .details()
            .customer
            .account
            .address
            .country_code
            .reveal(),
        "US"
    );

    let national_security = |involvement, visibility| {
        submit_violations(involvement, visibility, |details| {
            details.national_security = Some(true);
            details.customer.account.industry = "Government".to_owned();
            if involvement == InvolvementType::ForVisibilityOnly {
                details.primary_needs_from_aws.clear();
            }
        })
    };
    assert_eq!(national_security(InvolvementType::CoSell, Visibility::Full), []);
    let violations = national_security(InvolvementType::ForVisibilityOnly, Visibility::Limited);
    assert_eq!(
        violations,
        [
            ("visibility".to_owned(), InvalidValue),
            ("involvement_type".to_owned(), InvalidValue)
        ]
    );
}

#[test]
fn opp_018_contract_ending_before_start_is_refused() {
    let ends = |days: i64| {
        create_violations(move |details| {
            details.software_revenue.effective_date = Some(today());
            details.software_revenue.expiration_date = Some(today() + chrono::TimeDelta::days(days));
        })
    };
    assert_eq!(ends(0), []);
    assert_eq!(
        ends(-1),
        single_violation("software_revenue.expiration_date", ValueOutOfRange)
    );
}

#[test]
fn opp_018_negative_revenue_is_refused() {
    let earns = |hundredths: i64| {
        create_violations(move |details| {
            let spend = details.project.expected_customer_spend[0].amount;
            details.software_revenue.value = spend.map(|amount| cosell_types::Money { hundredths, ..amount });
        })
    };
    assert_eq!(earns(0), []);
    assert_eq!(
        earns(-1),
        single_violation("software_revenue.value", ValueOutOfRange)
    );
}

#[test]
fn opp_007_team_member_with_unknown_title_is_refused() {
    let team = |title: &str| {
        let person = Contact {
            business_title: title.into(),
            ..Contact::default()
        };
        create_violations(move |details| details.opportunity_team = vec![person])
    };
    assert_eq!(team("PartnerAccountManager"), []);
    assert_eq!(team("OpportunityOwner"), []);
    assert_eq!(
        team("Magician"),
        single_violation("opportunity_team[0].business_title", InvalidEnumValue)
    );
}

#[test]
fn opp_025_closed_lost_reason_is_required_only_in_closed_lost() {
    let lost = |stage, reason| {
        create_violations(move |details| {
            details.life_cycle.stage = stage;
            details.life_cycle.closed_lost_reason = reason;
        })
    };
    let field = "life_cycle.closed_lost_reason";
    assert_eq!(lost(Stage::ClosedLost, Some(ClosedLostReason::Price)), []);
    assert_eq!(
        lost(Stage::ClosedLost, None),
        single_violation(field, RequiredFieldMissing)
    );
    assert_eq!(
        lost(Stage::Qualified, Some(ClosedLostReason::Price)),
        single_violation(field, InvalidValue)
    );
}

#[test]
fn opp_019_023_missing_submission_fields_are_reported_together() {
    assert_eq!(co_sell_violations(|_| {}), []);
    let violations = co_sell_violations(|details| *details = minimal());
    let fields: Vec<_> = violations.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "project.customer_use_case",
            "project.delivery_models",
            "project.sales_activities",
            "primary_needs_from_aws",
            "related_entity_identifiers",
        ]
    );
    assert!(violations.iter().all(|(_, code)| *code == RequiredFieldMissing));
}

#[test]
fn opp_020_021_needs_are_required_for_co_sell_and_refused_otherwise() {
    use InvolvementType::{CoSell, ForVisibilityOnly};
    let with = |involvement, needs: Vec<PrimaryNeedFromAws>| {
        submit_violations(involvement, Visibility::Full, move |details| {
            details.primary_needs_from_aws = needs
        })
    };
    let need = vec![PrimaryNeedFromAws::DealSupport];
    assert_eq!(with(CoSell, need.clone()), []);
    assert_eq!(
        with(CoSell, vec![]),
        single_violation("primary_needs_from_aws", RequiredFieldMissing)
    );
    assert_eq!(with(ForVisibilityOnly, vec![]), []);
    assert_eq!(
        with(ForVisibilityOnly, need),
        single_violation("primary_needs_from_aws", InvalidValue)
    );
}

#[test]
fn opp_022_co_sell_with_limited_visibility_is_refused() {
    let limited = |involvement| {
        submit_violations(involvement, Visibility::Limited, |details| {
            if involvement == InvolvementType::ForVisibilityOnly {
                details.primary_needs_from_aws.clear();
            }
        })
    };
    assert_eq!(limited(InvolvementType::ForVisibilityOnly), []);
    assert_eq!(
        limited(InvolvementType::CoSell),
        single_violation("visibility", InvalidValue)
    );
}

#[test]
fn opp_024_closed_opportunity_cannot_be_submitted() {
    let at = |stage, reason| {
        co_sell_violations(move |details| {
            details.life_cycle.stage = stage;
            details.life_cycle.closed_lost_reason = reason;
        })
    };
    assert_eq!(at(Stage::Committed, None), []);
    assert_eq!(
        at(Stage::Launched, None),
        single_violation("life_cycle.stage", InvalidValue)
    );
    assert_eq!(
        at(Stage::ClosedLost, Some(ClosedLostReason::Price)),
        single_violation("life_cycle.stage", InvalidValue)
    );
}

#[test]
fn opp_026_solution_text_is_sufficient_only_before_committed() {
    let described = |stage| {
        co_sell_violations(move |details| {
            details.related_entity_identifiers.solutions.clear();
            details.project.other_solution_description = "Landing zone".into();
            details.life_cycle.stage = stage;
        })
    };
    assert_eq!(described(Stage::BusinessValidation), []);
    assert_eq!(
        described(Stage::Committed),
        single_violation("life_cycle.stage", InvalidValue)
    );
    let marketplace = |change: fn(&mut Details)| {
        co_sell_violations(move |details| {
            details.related_entity_identifiers.solutions.clear();
            details.life_cycle.stage = Stage::Committed;
            change(details);
        })
    };
    const ARN: &str = "arn:aws:aws-marketplace:us-east-1:111111111111:AWSMarketplace/SaaSProduct/prod-1";
    let with_product = marketplace(|details| {
        details.related_entity_identifiers.aws_marketplace_products = vec![ARN.to_owned()];
    });
    assert_eq!(with_product, []);
    let only_aws_products = marketplace(|details| {
        details.related_entity_identifiers.aws_products = vec!["AmazonEC2".to_owned()];
    });
    assert_eq!(
        only_aws_products,
        single_violation("life_cycle.stage", InvalidValue)
    );
}
