//! Each rule about what a record says: one record that keeps it and one that breaks it, told apart by nothing else.

use chrono::Days;
use cosell_types::ViolationCode::{
    self, InvalidEnumValue, InvalidValue, RequiredFieldMissing, ValueOutOfRange,
};

use super::fixtures::{draft, facts, member, minimal, now, spend, submittable, today};
use super::values::{
    ClosedLostReason, InvolvementType, MarketingSource, PrimaryNeedFromAws, Stage, Visibility,
};
use super::{Contact, Details, Field, Opportunity, Rule};

type Found = Vec<(String, ViolationCode)>;

fn found(rule: Rule) -> Found {
    match rule {
        Rule::Invalid(found) => found
            .into_iter()
            .map(|violation| (violation.field, violation.code))
            .collect(),
        other => panic!("{other:?}"),
    }
}

/// What is wrong with a draft after a change of what is minimal.
fn created(change: impl FnOnce(&mut Details)) -> Found {
    let mut details = minimal();
    change(&mut details);
    let id = draft(minimal()).id();
    let account = draft(minimal()).account().clone();
    Opportunity::create(id, account, member("creator"), details, &facts(), now())
        .map_or_else(found, |_| Vec::new())
}

/// What is wrong with a submission after a change of what is submittable.
fn submitted(
    involvement: InvolvementType,
    visibility: Visibility,
    change: impl FnOnce(&mut Details),
) -> Found {
    let mut details = submittable();
    change(&mut details);
    let mut record = draft(details);
    record
        .submit(&member("creator"), involvement, visibility, &facts(), now())
        .map_or_else(found, |_| Vec::new())
}

fn co_sell(change: impl FnOnce(&mut Details)) -> Found {
    submitted(InvolvementType::CoSell, Visibility::Full, change)
}

fn one(field: &str, code: ViolationCode) -> Found {
    vec![(field.to_owned(), code)]
}

#[test]
fn opp_010_013_what_is_required_at_create_is_asked_for_all_at_once() {
    assert_eq!(created(|_| {}), []);
    let wrong = created(|details| *details = Details::default());
    let fields: Vec<_> = wrong.iter().map(|(field, _)| field.as_str()).collect();
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
    assert!(wrong.iter().all(|(_, code)| *code == RequiredFieldMissing));
}

#[test]
fn opp_011_values_are_those_of_the_lists() {
    let wrong = created(|details| {
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
    assert_eq!(wrong, expected.map(|field| (field.to_owned(), InvalidEnumValue)));
}

#[test]
fn opp_012_the_other_industry_has_a_name() {
    let other = |name: &str| {
        let name = name.to_owned();
        created(move |details| {
            details.customer.account.industry = "Other".to_owned();
            details.customer.account.other_industry = name;
        })
    };
    assert_eq!(other("Performing arts"), []);
    assert_eq!(
        other(""),
        one("customer.account.other_industry", RequiredFieldMissing)
    );
}

#[test]
fn opp_014_postal_code_and_state_are_asked_for_where_there_are_any() {
    let at = |country: &str, postal: &str, state: &str| {
        let (country, postal, state) = (country.to_owned(), postal.to_owned(), state.to_owned());
        created(move |details| {
            let address = &mut details.customer.account.address;
            address.country_code = country.into();
            address.postal_code = postal.into();
            address.state_or_region = state.into();
        })
    };
    let postal = "customer.account.address.postal_code";
    let region = "customer.account.address.state_or_region";
    assert_eq!(at("AE", "", ""), []);
    assert_eq!(at("DE", "", ""), one(postal, RequiredFieldMissing));
    assert_eq!(at("US", "99501", "Alaska"), []);
    assert_eq!(at("US", "99501", ""), one(region, RequiredFieldMissing));
    assert_eq!(at("US", "99501", "AK"), one(region, InvalidEnumValue));
    assert_eq!(at("DE", "20457", "Free and Hanseatic City"), []);
}

#[test]
fn opp_015_the_target_close_date_lies_ahead_when_it_changes() {
    let field = "life_cycle.target_close_date";
    let in_days = |days: i64| {
        created(move |details| {
            details.life_cycle.target_close_date = today().checked_add_signed(chrono::TimeDelta::days(days));
        })
    };
    assert_eq!(in_days(1), []);
    assert_eq!(in_days(0), one(field, ValueOutOfRange));
    assert_eq!(in_days(-1), one(field, ValueOutOfRange));
    let sixty_years = (today()
        .checked_add_months(chrono::Months::new(720))
        .expect("a date")
        - today())
    .num_days();
    assert_eq!(in_days(sixty_years), []);
    assert_eq!(in_days(sixty_years + 1), one(field, ValueOutOfRange));
}

#[test]
fn opp_015_a_date_that_has_passed_hinders_nothing_else() {
    let mut record = draft(minimal());
    let later = now() + Days::new(400);
    let mut given = record.details().clone();
    given.lead_source = "Fair".to_owned();
    assert!(
        record
            .update(&member("creator"), &[Field::LeadSource], &given, &facts(), later)
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
fn opp_016_spend_is_an_amount_in_an_allowed_currency_paid_to_somebody() {
    let field = |rest: &str| format!("project.expected_customer_spend[0]{rest}");
    let with = |change: fn(&mut super::ExpectedCustomerSpend)| {
        created(move |details| change(&mut details.project.expected_customer_spend[0]))
    };
    let currency = |entry: &mut super::ExpectedCustomerSpend, code: &str| {
        if let Some(amount) = &mut entry.amount {
            amount.currency = code.parse().expect("a currency");
        }
    };
    assert_eq!(with(|entry| *entry = spend(1_000_000_000_000_000)), []);
    assert_eq!(
        with(|entry| *entry = spend(0)),
        one(&field(".amount"), ValueOutOfRange)
    );
    assert_eq!(
        with(|entry| *entry = spend(-1)),
        one(&field(".amount"), ValueOutOfRange)
    );
    assert_eq!(
        with(|entry| *entry = spend(1_000_000_000_000_001)),
        one(&field(".amount"), ValueOutOfRange)
    );
    assert_eq!(
        created(|details| currency(&mut details.project.expected_customer_spend[0], "EUR")),
        []
    );
    let yen = created(|details| currency(&mut details.project.expected_customer_spend[0], "JPY"));
    assert_eq!(yen, one(&field(".amount.currency_code"), InvalidEnumValue));
    assert_eq!(
        with(|entry| entry.amount = None),
        one(&field(".amount"), RequiredFieldMissing)
    );
    let estimated = with(|entry| {
        entry.amount = None;
        entry.estimation_url = format!("https://calculator.aws/#/estimate?id={}", "0".repeat(32));
    });
    assert_eq!(estimated, [], "the price estimate says the amount");
    assert_eq!(
        with(|entry| entry.frequency = None),
        one(&field(".frequency"), RequiredFieldMissing)
    );
    let nobody = with(|entry| entry.target_company.clear());
    assert_eq!(nobody, one(&field(".target_company"), RequiredFieldMissing));
}

#[test]
fn opp_017_national_security_is_for_governments_and_asks_for_less() {
    let secret = |industry: &str| {
        let industry = industry.to_owned();
        created(move |details| {
            details.national_security = Some(true);
            let account = &mut details.customer.account;
            account.industry = industry;
            account.website_url = "".into();
            account.address = super::Address::default();
        })
    };
    assert_eq!(secret("Government"), []);
    assert_eq!(secret("Retail"), one("national_security", InvalidValue));

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

    let secret = |involvement, visibility| {
        submitted(involvement, visibility, |details| {
            details.national_security = Some(true);
            details.customer.account.industry = "Government".to_owned();
            if involvement == InvolvementType::ForVisibilityOnly {
                details.primary_needs_from_aws.clear();
            }
        })
    };
    assert_eq!(secret(InvolvementType::CoSell, Visibility::Full), []);
    let wrong = secret(InvolvementType::ForVisibilityOnly, Visibility::Limited);
    assert_eq!(
        wrong,
        [
            ("visibility".to_owned(), InvalidValue),
            ("involvement_type".to_owned(), InvalidValue)
        ]
    );
}

#[test]
fn opp_018_a_contract_does_not_end_before_it_begins() {
    let ends = |days: i64| {
        created(move |details| {
            details.software_revenue.effective_date = Some(today());
            details.software_revenue.expiration_date = Some(today() + chrono::TimeDelta::days(days));
        })
    };
    assert_eq!(ends(0), []);
    assert_eq!(ends(-1), one("software_revenue.expiration_date", ValueOutOfRange));
}

#[test]
fn opp_018_revenue_is_not_negative() {
    let earns = |hundredths: i64| {
        created(move |details| {
            let spend = details.project.expected_customer_spend[0].amount;
            details.software_revenue.value = spend.map(|amount| cosell_types::Money { hundredths, ..amount });
        })
    };
    assert_eq!(earns(0), []);
    assert_eq!(earns(-1), one("software_revenue.value", ValueOutOfRange));
}

#[test]
fn opp_007_the_team_has_known_titles() {
    let team = |title: &str| {
        let person = Contact {
            business_title: title.into(),
            ..Contact::default()
        };
        created(move |details| details.opportunity_team = vec![person])
    };
    assert_eq!(team("PartnerAccountManager"), []);
    assert_eq!(team("OpportunityOwner"), []);
    assert_eq!(
        team("Magician"),
        one("opportunity_team[0].business_title", InvalidEnumValue)
    );
}

#[test]
fn opp_025_a_lost_deal_has_its_reason_and_no_other_has() {
    let lost = |stage, reason| {
        created(move |details| {
            details.life_cycle.stage = stage;
            details.life_cycle.closed_lost_reason = reason;
        })
    };
    let field = "life_cycle.closed_lost_reason";
    assert_eq!(lost(Stage::ClosedLost, Some(ClosedLostReason::Price)), []);
    assert_eq!(lost(Stage::ClosedLost, None), one(field, RequiredFieldMissing));
    assert_eq!(
        lost(Stage::Qualified, Some(ClosedLostReason::Price)),
        one(field, InvalidValue)
    );
}

#[test]
fn opp_019_023_what_is_required_at_submission_is_asked_for_all_at_once() {
    assert_eq!(co_sell(|_| {}), []);
    let wrong = co_sell(|details| *details = minimal());
    let fields: Vec<_> = wrong.iter().map(|(field, _)| field.as_str()).collect();
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
    assert!(wrong.iter().all(|(_, code)| *code == RequiredFieldMissing));
}

#[test]
fn opp_020_021_needs_are_for_co_sell_and_only_for_co_sell() {
    use InvolvementType::{CoSell, ForVisibilityOnly};
    let with = |involvement, needs: Vec<PrimaryNeedFromAws>| {
        submitted(involvement, Visibility::Full, move |details| {
            details.primary_needs_from_aws = needs
        })
    };
    let need = vec![PrimaryNeedFromAws::DealSupport];
    assert_eq!(with(CoSell, need.clone()), []);
    assert_eq!(
        with(CoSell, vec![]),
        one("primary_needs_from_aws", RequiredFieldMissing)
    );
    assert_eq!(with(ForVisibilityOnly, vec![]), []);
    assert_eq!(
        with(ForVisibilityOnly, need),
        one("primary_needs_from_aws", InvalidValue)
    );
}

#[test]
fn opp_022_co_sell_is_seen_in_full() {
    let limited = |involvement| {
        submitted(involvement, Visibility::Limited, |details| {
            if involvement == InvolvementType::ForVisibilityOnly {
                details.primary_needs_from_aws.clear();
            }
        })
    };
    assert_eq!(limited(InvolvementType::ForVisibilityOnly), []);
    assert_eq!(limited(InvolvementType::CoSell), one("visibility", InvalidValue));
}

#[test]
fn opp_024_a_deal_that_is_over_is_not_submitted() {
    let at = |stage, reason| {
        co_sell(move |details| {
            details.life_cycle.stage = stage;
            details.life_cycle.closed_lost_reason = reason;
        })
    };
    assert_eq!(at(Stage::Committed, None), []);
    assert_eq!(at(Stage::Launched, None), one("life_cycle.stage", InvalidValue));
    assert_eq!(
        at(Stage::ClosedLost, Some(ClosedLostReason::Price)),
        one("life_cycle.stage", InvalidValue)
    );
}

#[test]
fn opp_026_until_committed_a_solution_may_be_described_in_words() {
    let described = |stage| {
        co_sell(move |details| {
            details.related_entity_identifiers.solutions.clear();
            details.project.other_solution_description = "Landing zone".into();
            details.life_cycle.stage = stage;
        })
    };
    assert_eq!(described(Stage::BusinessValidation), []);
    assert_eq!(described(Stage::Committed), one("life_cycle.stage", InvalidValue));
    let marketplace = |change: fn(&mut Details)| {
        co_sell(move |details| {
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
    assert_eq!(only_aws_products, one("life_cycle.stage", InvalidValue));
}
