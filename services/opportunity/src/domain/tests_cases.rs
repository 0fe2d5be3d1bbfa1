//! Every rule about what a record says, as a table: cases that keep it and cases that break it, told apart by as little
//! as can be. That each rule has both is checked against docs/DOMAIN.md.

use cosell_types::ViolationCode::{
    self, InvalidEnumValue, InvalidStringFormat, InvalidValue, RequiredFieldMissing, ValueOutOfRange,
};
use cosell_types::{Money, OpportunityId};

use super::fixtures::{draft, facts, member, minimal, now, spend, submittable, today};
use super::tests_deal_cases::{about_deal_size, about_submission};
use super::values::{
    ClosedLostReason, CompetitorName, InvolvementType, MarketingSource, OpportunityType, PaymentFrequency,
    Stage, Visibility,
};
use super::{Contact, Details, ExpectedCustomerSpend, Facts, Field, Opportunity, Rule};

/// When a rule is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    Create,
    Submit(InvolvementType, Visibility),
    Launch,
}

pub(super) struct Case {
    rule: &'static str,
    at: At,
    change: fn(&mut Details),
    facts: Facts<'static>,
    wrong: Vec<(&'static str, ViolationCode)>,
}

pub(super) const CO_SELL: At = At::Submit(InvolvementType::CoSell, Visibility::Full);
pub(super) const VISIBLE: At = At::Submit(InvolvementType::ForVisibilityOnly, Visibility::Full);

pub(super) fn keeps(rule: &'static str, at: At, change: fn(&mut Details)) -> Case {
    Case {
        rule,
        at,
        change,
        facts: facts(),
        wrong: Vec::new(),
    }
}

pub(super) fn breaks(
    rule: &'static str,
    at: At,
    change: fn(&mut Details),
    field: &'static str,
    code: ViolationCode,
) -> Case {
    Case {
        wrong: vec![(field, code)],
        ..keeps(rule, at, change)
    }
}

impl Case {
    /// And this is wrong for the same cause.
    fn and(mut self, field: &'static str, code: ViolationCode) -> Self {
        self.wrong.push((field, code));
        self
    }

    pub(super) fn of_consulting_partner(mut self) -> Self {
        self.facts.partner_types = vec!["CONSULTING_PARTNER".to_owned()];
        self
    }

    fn run(&self) -> Vec<(String, ViolationCode)> {
        let mut details = match self.at {
            At::Create => minimal(),
            At::Submit(InvolvementType::ForVisibilityOnly, _) => Details {
                primary_needs_from_aws: Vec::new(),
                ..submittable()
            },
            At::Submit(..) | At::Launch => submittable(),
        };
        let launched = details.clone();
        if !matches!(self.at, At::Launch) {
            (self.change)(&mut details);
        }
        let by = member("creator");
        let pattern = draft(minimal());
        let made = Opportunity::create(
            pattern.id(),
            pattern.account().clone(),
            by.clone(),
            details,
            &self.facts,
            now(),
        );
        let outcome = match (made, self.at) {
            (Ok((mut record, _)), At::Submit(involvement, visibility)) => record
                .submit(&by, involvement, visibility, &self.facts, now())
                .map(drop),
            (Ok(_), At::Launch) => launch(launched, self.change, &self.facts),
            (made, _) => made.map(drop),
        };
        match outcome {
            Ok(()) => Vec::new(),
            Err(Rule::Invalid(found)) => found
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

/// An approved record that is launched today, with a change.
fn launch(details: Details, change: fn(&mut Details), facts: &Facts<'_>) -> Result<(), Rule> {
    let mut record =
        super::fixtures::in_status(super::values::ReviewStatus::Approved, InvolvementType::CoSell);
    let mut given = details;
    given.life_cycle.stage = Stage::Launched;
    given.life_cycle.target_close_date = Some(today());
    change(&mut given);
    let fields = [
        Field::Stage,
        Field::TargetCloseDate,
        Field::AwsAccountId,
        Field::ClosedLostReason,
    ];
    record
        .update(&member("creator"), &fields, &given, facts, now())
        .map(drop)
}

pub(super) fn own(units: i64) -> ExpectedCustomerSpend {
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

fn in_america(details: &mut Details) {
    let address = &mut details.customer.account.address;
    address.country_code = "US".into();
    address.postal_code = "98109".into();
    address.state_or_region = "Washington".into();
}

fn secret(details: &mut Details) {
    details.national_security = Some(true);
    let account = &mut details.customer.account;
    account.industry = "Government".to_owned();
    account.company_name = "".into();
    account.website_url = "".into();
    account.address = super::Address::default();
}

fn from_marketing(details: &mut Details) {
    details.marketing.source = Some(MarketingSource::MarketingActivity);
    details.marketing.aws_funding_used = Some(true);
}

const TEAM: &str = "opportunity_team[0].business_title";
const PARENT: &str = "project.related_opportunity_id";
const COMPETITORS: &str = "project.other_competitor_names";
pub(super) const SPEND: &str = "project.expected_customer_spend";
pub(super) const ENTRY: &str = "project.expected_customer_spend[0].amount";
pub(super) const DURATION: &str = "project.expected_contract_duration";
const POSTAL: &str = "customer.account.address.postal_code";
const REGION: &str = "customer.account.address.state_or_region";
pub(super) const CLOSE: &str = "life_cycle.target_close_date";
pub(super) const STAGE: &str = "life_cycle.stage";

fn about_everything() -> Vec<Case> {
    vec![
        keeps("OPP-005", At::Create, |d| {
            d.opportunity_type = OpportunityType::Expansion;
            d.project.related_opportunity_id = OpportunityId::from_number(1);
        }),
        // Of a deal that is new the parent is ignored, whatever it is.
        keeps("OPP-005", At::Create, |d| {
            d.project.related_opportunity_id = OpportunityId::from_number(2)
        }),
        breaks(
            "OPP-005",
            At::Create,
            |d| {
                d.opportunity_type = OpportunityType::FlatRenewal;
                d.project.related_opportunity_id = OpportunityId::from_number(2);
            },
            PARENT,
            InvalidValue,
        ),
        keeps("OPP-007", At::Create, |d| {
            d.opportunity_team = vec![Contact {
                business_title: "partneraccountmanager".into(),
                ..Contact::default()
            }];
        }),
        breaks(
            "OPP-007",
            At::Create,
            |d| d.opportunity_team = vec![Contact::default()],
            TEAM,
            InvalidEnumValue,
        ),
        keeps("OPP-008", At::Create, |d| {
            d.project.competitor_name = Some(CompetitorName::Other);
            d.project.other_competitor_names = "Somebody".to_owned();
        }),
        breaks(
            "OPP-008",
            At::Create,
            |d| d.project.competitor_name = Some(CompetitorName::Other),
            COMPETITORS,
            RequiredFieldMissing,
        ),
        breaks(
            "OPP-008",
            At::Create,
            |d| d.project.other_competitor_names = "Somebody".to_owned(),
            COMPETITORS,
            InvalidValue,
        ),
        keeps("OPP-010", At::Create, |_| {}),
        breaks(
            "OPP-010",
            At::Create,
            |d| d.project.title = "".into(),
            "project.title",
            RequiredFieldMissing,
        ),
        keeps("OPP-011", At::Create, |d| {
            d.customer.account.industry = "energy – oil & gas".to_owned()
        }),
        breaks(
            "OPP-011",
            At::Create,
            |d| d.customer.account.industry = "Alchemy".to_owned(),
            "customer.account.industry",
            InvalidEnumValue,
        ),
        keeps("OPP-012", At::Create, |d| {
            d.customer.account.industry = "Other".to_owned();
            d.customer.account.other_industry = "Circus".to_owned();
        }),
        breaks(
            "OPP-012",
            At::Create,
            |d| d.customer.account.industry = "Other".to_owned(),
            "customer.account.other_industry",
            RequiredFieldMissing,
        ),
        keeps("OPP-013", At::Create, |d| {
            d.customer.account.website_url = "alder.example".into()
        }),
        breaks(
            "OPP-013",
            At::Create,
            |d| d.customer.account.website_url = "".into(),
            "customer.account.website_url",
            RequiredFieldMissing,
        ),
        keeps("OPP-014", At::Create, in_america),
        breaks(
            "OPP-014",
            At::Create,
            |d| {
                in_america(d);
                d.customer.account.address.state_or_region = "Hamburg".into();
            },
            REGION,
            InvalidEnumValue,
        ),
        breaks(
            "OPP-014",
            At::Create,
            |d| d.customer.account.address.postal_code = "".into(),
            POSTAL,
            RequiredFieldMissing,
        ),
        // The form is asked for at submission, and not before.
        keeps("OPP-014", At::Create, |d| {
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
        keeps("OPP-015", At::Create, |d| {
            d.life_cycle.target_close_date = Some(today() + chrono::TimeDelta::days(1));
        }),
        breaks(
            "OPP-015",
            At::Create,
            |d| d.life_cycle.target_close_date = Some(today()),
            CLOSE,
            ValueOutOfRange,
        ),
        keeps("OPP-017", At::Create, secret),
        breaks(
            "OPP-017",
            At::Create,
            |d| d.national_security = Some(true),
            "national_security",
            InvalidValue,
        ),
        breaks("OPP-017", VISIBLE, secret, "involvement_type", InvalidValue),
        keeps("OPP-018", At::Create, |d| {
            d.software_revenue.effective_date = Some(today());
            d.software_revenue.expiration_date = Some(today());
        }),
        breaks(
            "OPP-018",
            At::Create,
            |d| {
                d.software_revenue.effective_date = Some(today());
                d.software_revenue.expiration_date = today().pred_opt();
            },
            "software_revenue.expiration_date",
            ValueOutOfRange,
        ),
        keeps("OPP-025", At::Create, |d| {
            d.life_cycle.stage = Stage::ClosedLost;
            d.life_cycle.closed_lost_reason = Some(ClosedLostReason::Price);
        }),
        breaks(
            "OPP-025",
            At::Create,
            |d| d.life_cycle.closed_lost_reason = Some(ClosedLostReason::Price),
            "life_cycle.closed_lost_reason",
            InvalidValue,
        ),
        keeps("OPP-029", At::Create, from_marketing),
        keeps("OPP-029", At::Create, |d| {
            d.marketing.source = Some(MarketingSource::None)
        }),
        breaks(
            "OPP-029",
            At::Create,
            |d| d.marketing.source = Some(MarketingSource::MarketingActivity),
            "marketing.aws_funding_used",
            RequiredFieldMissing,
        ),
        breaks(
            "OPP-029",
            At::Create,
            |d| {
                from_marketing(d);
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
fn opp_005_008_016_028_029_043_every_case_of_every_rule() {
    let mut wrong = Vec::new();
    let cases = [about_everything(), about_deal_size(), about_submission()];
    for case in cases.into_iter().flatten() {
        let found = case.run();
        let expected: Vec<_> = case
            .wrong
            .iter()
            .map(|(field, code)| ((*field).to_owned(), *code))
            .collect();
        if found != expected {
            wrong.push(format!(
                "{} at {:?}: {found:?}, not {expected:?}",
                case.rule, case.at
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
