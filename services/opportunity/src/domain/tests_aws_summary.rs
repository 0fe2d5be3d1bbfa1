//! The AWS summary: what is kept, what is refused, and what the partner is shown, cell by cell and by random sequences
//! (OPP-050 to OPP-058).

use cosell_types::ClosedList as _;
use cosell_types::ViolationCode::{
    self, InvalidEnumValue, InvalidValue, RequiredFieldMissing, ValueOutOfRange,
};
use proptest::prelude::*;

use super::fixtures::{in_stage, in_status, now, policy, spend, today};
use super::reference::{AWS_CLOSED_LOST_REASON, AWS_TEAM_TITLE};
use super::values::{
    AwsStage, EngagementScore, InvolvementType, InvolvementTypeChangeReason, PaymentFrequency, ReviewStatus,
    Stage,
};
use super::{
    AwsDetails, AwsField, AwsSoftwareRevenue, AwsSummary, Contact, ExpectedCustomerSpend, OpportunityQuality,
    ProductInsights, Recommendation, SpendInsights,
};

/// A stage with the reason that it needs.
fn in_aws_stage(details: &mut AwsDetails, stage: Option<AwsStage>) {
    details.life_cycle.stage = stage;
    details.life_cycle.closed_lost_reason = match stage {
        Some(AwsStage::ClosedLost) => "Price".to_owned(),
        _ => String::new(),
    };
}

/// Everything that AWS can say, in a stage.
fn full(stage: Option<AwsStage>) -> AwsDetails {
    let mut details = AwsDetails {
        involvement_type: Some(InvolvementType::ForVisibilityOnly),
        involvement_type_change_reason: Some(InvolvementTypeChangeReason::RiskMitigation),
        cosell_motion: "Partner-led".to_owned(),
        cosell_motion_reason: "They know the customer".into(),
        strategic: Some(true),
        opportunity_team: vec![person("PSM")],
        ..Default::default()
    };
    in_aws_stage(&mut details, stage);
    details.life_cycle.target_close_date = Some(today());
    details.life_cycle.next_steps = "A call".into();
    details.customer.contacts = vec![person("CIO")];
    let related = &mut details.related_entity_identifiers;
    related.solutions = vec!["S-1".to_owned()];
    related.aws_products = vec!["Amazon S3".to_owned()];
    related.aws_marketplace_solutions = vec!["a solution".to_owned()];
    related.aws_marketplace_products = vec!["a product".to_owned()];
    details.project.expected_customer_spend = vec![ExpectedCustomerSpend {
        amount: spend(5).amount.map(|amount| cosell_types::Money {
            currency: "EUR".parse().expect("a currency"),
            ..amount
        }),
        ..spend(5)
    }];
    details.project.aws_partition = "aws-eusc".to_owned();
    let insights = &mut details.insights;
    insights.next_best_actions = "Meet the CIO".into();
    insights.engagement_score = Some(EngagementScore::High);
    insights.opportunity_quality = Some(OpportunityQuality {
        score: 70,
        trend: "Improving".to_owned(),
    });
    insights.recommendations = vec![Recommendation {
        kind: "SolutionRecommendation".to_owned(),
        details: "Another solution".into(),
        attributes: [("solution".to_owned(), "S-2".to_owned())].into(),
    }];
    let estimate = SpendInsights {
        currency_code: "USD".to_owned(),
        frequency: Some(PaymentFrequency::Monthly),
        total_amount: "1500.50".to_owned(),
        aws_products: vec![ProductInsights {
            product_code: "AmazonS3".to_owned(),
            amount: "1500.50".to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    };
    insights.aws_products_spend_insights_by_source.aws = Some(estimate);
    details.software_revenue = Some(AwsSoftwareRevenue {
        value: spend(5).amount,
        effective_date: Some(today()),
        ..Default::default()
    });
    details
}

fn person(title: &str) -> Contact {
    Contact {
        first_name: "Tara".into(),
        business_title: title.into(),
        ..Default::default()
    }
}

fn nothing() -> AwsSummary {
    AwsSummary::nothing(&in_status(ReviewStatus::Approved, InvolvementType::CoSell))
}

fn saying(details: &AwsDetails) -> AwsSummary {
    let mut summary = nothing();
    let changed = summary.update(AwsField::ALL, details, &policy(), now());
    assert!(changed.is_ok(), "{changed:?}");
    summary
}

/// What is wrong with what AWS says.
fn wrong(change: impl Fn(&mut AwsDetails)) -> Vec<(String, ViolationCode)> {
    let mut details = AwsDetails::default();
    change(&mut details);
    let mut summary = nothing();
    match summary.update(AwsField::ALL, &details, &policy(), now()) {
        Ok(_) => Vec::new(),
        Err(found) => {
            assert_eq!(summary, nothing(), "refused, and changed all the same");
            let found = found.into_iter();
            found.map(|violation| (violation.field, violation.code)).collect()
        }
    }
}

fn one(field: &str, code: ViolationCode) -> Vec<(String, ViolationCode)> {
    vec![(field.to_owned(), code)]
}

fn stages() -> impl Iterator<Item = Option<AwsStage>> {
    std::iter::once(None).chain(AwsStage::ALL.iter().copied().map(Some))
}

/// Which fields the partner is shown in a stage, said once more by hand.
fn is_shown(field: AwsField, stage: Option<AwsStage>) -> bool {
    let is_closed = [Some(AwsStage::Launched), Some(AwsStage::ClosedLost)].contains(&stage);
    let hidden = [
        "life_cycle.stage",
        "life_cycle.closed_lost_reason",
        "life_cycle.target_close_date",
    ];
    is_closed || !hidden.contains(&field.path())
}

#[test]
fn opp_052_the_partner_is_shown_each_field_in_each_stage_or_not() {
    let none = AwsDetails::default();
    let mut cells = 0;
    for stage in stages() {
        let summary = saying(&full(stage));
        let shown = summary.clone().for_partner();
        for field in AwsField::ALL.iter().copied() {
            let text = format!("{} in {stage:?}", field.path());
            if is_shown(field, stage) {
                assert!(
                    !field.differs(shown.details(), summary.details()),
                    "{text} is shown"
                );
            } else {
                assert!(!field.differs(shown.details(), &none), "{text} is hidden");
            }
            cells += 1;
        }
        assert_eq!(shown.revision(), summary.revision());
        assert_eq!(shown.next_steps_history(), summary.next_steps_history());
    }
    assert_eq!(cells, 25 * 23);
}

#[test]
fn opp_052_there_is_something_to_hide_in_every_field() {
    let (full, none) = (full(Some(AwsStage::ClosedLost)), AwsDetails::default());
    for field in AwsField::ALL {
        assert!(
            field.differs(&full, &none),
            "{} is empty in this test",
            field.path()
        );
    }
}

#[test]
fn opp_055_stages_disagree_where_aws_has_closed_otherwise_and_nowhere_else() {
    for theirs in stages() {
        let mut details = AwsDetails::default();
        in_aws_stage(&mut details, theirs);
        let summary = saying(&details);
        for ours in Stage::ALL.iter().copied() {
            let record = in_stage(ours, InvolvementType::CoSell);
            let expected = match theirs {
                Some(AwsStage::Launched) => ours.name() != "LAUNCHED",
                Some(AwsStage::ClosedLost) => ours.name() != "CLOSED_LOST",
                _ => false,
            };
            let seen = summary.disagrees_with(record.details().life_cycle.stage);
            assert_eq!(seen, expected, "AWS {theirs:?}, partner {ours:?}");
            // The flag tells the partner nothing that it is not shown.
            let shown = summary.clone().for_partner();
            assert_eq!(shown.disagrees_with(ours), seen);
        }
    }
}

#[test]
fn opp_054_a_reason_is_needed_in_closed_lost_and_refused_elsewhere() {
    let at = "life_cycle.closed_lost_reason";
    for stage in stages() {
        let with = |reason: &'static str| {
            wrong(move |details| {
                details.life_cycle.stage = stage;
                details.life_cycle.closed_lost_reason = reason.to_owned();
            })
        };
        let is_lost = stage == Some(AwsStage::ClosedLost);
        let (none, some) = if is_lost {
            (one(at, RequiredFieldMissing), Vec::new())
        } else {
            (Vec::new(), one(at, InvalidValue))
        };
        assert_eq!(with(""), none, "{stage:?}");
        assert_eq!(with("Price"), some, "{stage:?}");
        assert_eq!(with("No mood"), one(at, InvalidEnumValue), "{stage:?}");
    }
    for reason in AWS_CLOSED_LOST_REASON.values {
        let found = wrong(|details| {
            details.life_cycle.stage = Some(AwsStage::ClosedLost);
            (*reason).clone_into(&mut details.life_cycle.closed_lost_reason);
        });
        assert_eq!(found, [], "{reason}");
    }
    let mut details = full(Some(AwsStage::ClosedLost));
    details.life_cycle.closed_lost_reason = "lost to competitor – google".to_owned();
    let kept = saying(&details);
    assert_eq!(
        kept.details().life_cycle.closed_lost_reason,
        "Lost to Competitor - Google"
    );
}

#[test]
fn opp_054_the_last_fifty_next_steps_are_kept() {
    let mut summary = nothing();
    for number in 1..=60 {
        let mut given = AwsDetails::default();
        given.life_cycle.next_steps = format!("Step {number}").into();
        let changed = summary.update(&[AwsField::NextSteps], &given, &policy(), now());
        assert_eq!(changed, Ok(vec![AwsField::NextSteps]));
    }
    let cleared = summary.update(&[AwsField::NextSteps], &AwsDetails::default(), &policy(), now());
    assert_eq!(cleared, Ok(vec![AwsField::NextSteps]));
    let history: Vec<_> = summary
        .next_steps_history()
        .iter()
        .map(|step| step.value.reveal().as_str())
        .collect();
    assert_eq!(
        (history.len(), history[0], history[49]),
        (50, "Step 60", "Step 11")
    );
    assert_eq!(summary.revision(), 61);
}

#[test]
fn opp_056_people_of_aws_have_one_of_seven_titles() {
    assert_eq!(AWS_TEAM_TITLE.values.len(), 7);
    for title in AWS_TEAM_TITLE.values {
        let found = wrong(|details| details.opportunity_team = vec![person(title)]);
        assert_eq!(found, [], "{title}");
    }
    for title in ["", "OpportunityOwner", "Boss"] {
        let found = wrong(|details| details.opportunity_team = vec![person("PDM"), person(title)]);
        assert_eq!(
            found,
            one("opportunity_team[1].business_title", InvalidEnumValue),
            "{title}"
        );
    }
    let mut details = AwsDetails {
        opportunity_team: vec![Contact {
            email: "Tara@AWS.Example".into(),
            ..person("awssalesrep")
        }],
        ..Default::default()
    };
    details.customer.contacts = vec![person("Whatever they call it")];
    let kept = saying(&details);
    let seller = &kept.details().opportunity_team[0];
    assert_eq!(seller.business_title.reveal(), "AWSSalesRep");
    assert_eq!(seller.email.reveal(), "tara@aws.example");
}

#[test]
fn opp_057_the_involvement_is_the_opportunitys_unless_aws_states_another() {
    let reason = Some(InvolvementTypeChangeReason::CustomerRequested);
    for asked in InvolvementType::ALL.iter().copied() {
        let record = in_status(ReviewStatus::Approved, asked);
        let mut summary = AwsSummary::nothing(&record);
        assert_eq!(summary.involvement(&record), Some(asked));
        for stated in InvolvementType::ALL.iter().copied() {
            let given = AwsDetails {
                involvement_type: Some(stated),
                involvement_type_change_reason: reason,
                ..Default::default()
            };
            summary
                .update(AwsField::ALL, &given, &policy(), now())
                .expect("an involvement");
            assert_eq!(summary.involvement(&record), Some(stated));
            assert_eq!(record.involvement(), Some(asked));
        }
    }
    let found = wrong(|details| details.involvement_type_change_reason = reason);
    assert_eq!(found, one("involvement_type_change_reason", InvalidValue));
}

#[test]
fn opp_058_what_aws_expects_is_monthly_and_for_aws() {
    let with = |entry: fn(&mut ExpectedCustomerSpend)| {
        move |details: &mut AwsDetails| {
            let mut added = spend(120);
            entry(&mut added);
            details.project.expected_customer_spend = vec![added];
        }
    };
    let at = |field: &str| format!("project.expected_customer_spend[0].{field}");
    assert_eq!(wrong(with(|_| {})), []);
    let amount = with(|entry| entry.amount = None);
    assert_eq!(wrong(amount), one(&at("amount"), RequiredFieldMissing));
    let amount = with(|entry| entry.amount = spend(0).amount);
    assert_eq!(wrong(amount), one(&at("amount"), ValueOutOfRange));
    let once = with(|entry| entry.frequency = Some(PaymentFrequency::OneTime));
    assert_eq!(wrong(once), one(&at("frequency"), InvalidValue));
    let in_dollars = wrong(|details| {
        details.project.aws_partition = "aws-eusc".to_owned();
        details.project.expected_customer_spend = vec![spend(1)];
    });
    assert_eq!(in_dollars, one(&at("amount.currency_code"), InvalidValue));

    let mut details = AwsDetails::default();
    with(|entry| {
        entry.frequency = Some(PaymentFrequency::Annual);
        entry.target_company = "Self".to_owned();
    })(&mut details);
    let kept = saying(&details);
    assert_eq!(kept.details().project.expected_customer_spend, [spend(10)]);
}

/// One of many things that AWS may say, right or wrong.
fn change() -> impl Strategy<Value = (AwsField, AwsDetails)> {
    let stage = proptest::sample::select(AwsStage::ALL);
    let reason = prop_oneof![Just(""), Just("Price"), Just("no such reason")];
    (
        proptest::sample::select(AwsField::ALL),
        stage,
        reason,
        "[a-c]{0,2}",
        0..3_usize,
    )
        .prop_map(|(field, stage, reason, text, number)| {
            let mut given = full(Some(stage));
            given.life_cycle.closed_lost_reason = reason.to_owned();
            given.life_cycle.next_steps = text.as_str().into();
            given.insights.next_best_actions = text.into();
            given.insights.recommendations.truncate(number);
            given.opportunity_team[0].business_title = ["PDM", "Signatory", "Boss"][number].into();
            given.involvement_type = [None, Some(InvolvementType::CoSell), None][number];
            (field, given)
        })
}

proptest! {
    #[test]
    fn opp_050_053_every_sequence_keeps_what_must_hold(changes in proptest::collection::vec(change(), 1..40)) {
        let record = in_status(ReviewStatus::Approved, InvolvementType::CoSell);
        let mut summary = AwsSummary::nothing(&record);
        for (field, given) in changes {
            let before = summary.clone();
            match summary.update(&[field], &given, &policy(), now()) {
                Ok(changed) if changed.is_empty() => prop_assert_eq!(&summary, &before),
                Ok(changed) => {
                    prop_assert_eq!(changed, vec![field]);
                    prop_assert_eq!(summary.revision(), before.revision() + 1);
                    for other in AwsField::ALL.iter().filter(|other| **other != field) {
                        prop_assert!(!other.differs(before.details(), summary.details()), "{}", other.path());
                    }
                }
                Err(_) => prop_assert_eq!(&summary, &before),
            }
            let life_cycle = &summary.details().life_cycle;
            let is_lost = life_cycle.stage == Some(AwsStage::ClosedLost);
            prop_assert_eq!(is_lost, !life_cycle.closed_lost_reason.is_empty());
            let stored = serde_json::to_value(&summary).expect("serializable");
            prop_assert_eq!(serde_json::from_value::<AwsSummary>(stored).expect("readable"), summary.clone());
        }
    }
}

/// As for the record: what an earlier version stored stays readable. When a field is added, this text stays as it is.
#[test]
fn opp_050_an_aws_side_of_the_first_version_is_still_read() {
    let stored = include_str!("fixture_aws_summary_v1.json");
    let summary: AwsSummary = serde_json::from_str(stored).expect("readable");
    let mut details = full(Some(AwsStage::ClosedLost));
    // What came later.
    details.insights.recommendations[0].attributes.clear();
    AwsField::SpendInsights.copy(&AwsDetails::default(), &mut details);
    AwsField::SoftwareRevenue.copy(&AwsDetails::default(), &mut details);
    assert_eq!(summary, saying(&details));
}

#[test]
fn opp_051_before_aws_has_said_something_there_is_nothing() {
    let summary = nothing();
    assert_eq!((summary.revision(), summary.update_time()), (0, None));
    assert_eq!(*summary.details(), AwsDetails::default());
    assert_eq!(summary.clone().for_partner(), summary);
}

#[test]
fn opp_058_trend_type_and_motion_are_standard_values_and_a_reason_needs_its_motion() {
    let invalid = |path: &str| vec![(path.to_owned(), InvalidEnumValue)];
    let motion = wrong(|details| details.cosell_motion = "Alone".to_owned());
    assert_eq!(motion, invalid("cosell_motion"));
    let trend = wrong(|details| {
        details.insights.opportunity_quality = Some(OpportunityQuality {
            score: 7,
            trend: "Sideways".to_owned(),
        });
    });
    assert_eq!(trend, invalid("insights.opportunity_quality.trend"));
    let kind = wrong(|details| {
        details.insights.recommendations = vec![Recommendation {
            kind: "Gossip".to_owned(),
            details: "They say".into(),
            attributes: Default::default(),
        }];
    });
    assert_eq!(kind, invalid("insights.recommendations[0].type"));
    let reason = wrong(|details| details.cosell_motion_reason = "Because".into());
    assert_eq!(reason, [("cosell_motion_reason".to_owned(), InvalidValue)]);
    let details = AwsDetails {
        cosell_motion: "aws field – engaged".to_owned(),
        ..Default::default()
    };
    let kept = saying(&details);
    assert_eq!(
        kept.details().cosell_motion,
        "AWS Field-engaged",
        "spelled as the list has it"
    );
}
