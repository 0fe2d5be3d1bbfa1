//! The AWS summary (OPP-050 to OPP-058): validation and normalization of each field, the partner's view in each AWS
//! stage, and invariants under random update sequences.

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

/// Sets the stage and, in CLOSED_LOST, the required reason.
fn in_aws_stage(details: &mut AwsDetails, stage: Option<AwsStage>) {
    details.life_cycle.stage = stage;
    details.life_cycle.closed_lost_reason = match stage {
        Some(AwsStage::ClosedLost) => "Price".to_owned(),
        _ => String::new(),
    };
}

/// Details with every field set.
fn complete_details(stage: Option<AwsStage>) -> AwsDetails {
    let mut details = AwsDetails {
        involvement_type: Some(InvolvementType::ForVisibilityOnly),
        involvement_type_change_reason: Some(InvolvementTypeChangeReason::RiskMitigation),
        cosell_motion: "Partner-led".to_owned(),
        cosell_motion_reason: "They know the customer".into(),
        strategic: Some(true),
        opportunity_team: vec![contact("PSM")],
        ..Default::default()
    };
    in_aws_stage(&mut details, stage);
    details.life_cycle.target_close_date = Some(today());
    details.life_cycle.next_steps = "A call".into();
    details.customer.contacts = vec![contact("CIO")];
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

fn contact(title: &str) -> Contact {
    Contact {
        first_name: "Tara".into(),
        business_title: title.into(),
        ..Default::default()
    }
}

fn empty_summary() -> AwsSummary {
    AwsSummary::empty(&in_status(ReviewStatus::Approved, InvolvementType::CoSell))
}

fn summary_with(details: &AwsDetails) -> AwsSummary {
    let mut summary = empty_summary();
    let changed = summary.update(AwsField::ALL, details, &policy(), now());
    assert!(changed.is_ok(), "{changed:?}");
    summary
}

/// Violations of an update of all fields; a refused update must leave the summary unchanged.
fn violations_of(change: impl Fn(&mut AwsDetails)) -> Vec<(String, ViolationCode)> {
    let mut details = AwsDetails::default();
    change(&mut details);
    let mut summary = empty_summary();
    match summary.update(AwsField::ALL, &details, &policy(), now()) {
        Ok(_) => Vec::new(),
        Err(violations) => {
            assert_eq!(summary, empty_summary(), "a refused update changed the summary");
            let violations = violations.into_iter();
            violations
                .map(|violation| (violation.field, violation.code))
                .collect()
        }
    }
}

fn single_violation(field: &str, code: ViolationCode) -> Vec<(String, ViolationCode)> {
    vec![(field.to_owned(), code)]
}

fn all_aws_stages() -> impl Iterator<Item = Option<AwsStage>> {
    std::iter::once(None).chain(AwsStage::ALL.iter().copied().map(Some))
}

/// The expected visibility of a field, stated independently of the code under test.
fn is_visible_to_partner(field: AwsField, stage: Option<AwsStage>) -> bool {
    let is_closed = [Some(AwsStage::Launched), Some(AwsStage::ClosedLost)].contains(&stage);
    let hidden = [
        "life_cycle.stage",
        "life_cycle.closed_lost_reason",
        "life_cycle.target_close_date",
    ];
    is_closed || !hidden.contains(&field.path())
}

#[test]
fn opp_052_partner_view_hides_fields_by_aws_stage() {
    let none = AwsDetails::default();
    let mut cells = 0;
    for stage in all_aws_stages() {
        let summary = summary_with(&complete_details(stage));
        let view = summary.clone().for_partner();
        for field in AwsField::ALL.iter().copied() {
            let label = format!("{} in {stage:?}", field.path());
            if is_visible_to_partner(field, stage) {
                assert!(
                    !field.differs(view.details(), summary.details()),
                    "{label} must be visible"
                );
            } else {
                assert!(!field.differs(view.details(), &none), "{label} must be hidden");
            }
            cells += 1;
        }
        assert_eq!(view.revision(), summary.revision());
        assert_eq!(view.next_steps_history(), summary.next_steps_history());
    }
    assert_eq!(cells, 25 * 23);
}

#[test]
fn opp_052_test_summary_sets_every_field() {
    let (full, none) = (
        complete_details(Some(AwsStage::ClosedLost)),
        AwsDetails::default(),
    );
    for field in AwsField::ALL {
        assert!(
            field.differs(&full, &none),
            "{} is not set in `complete_details`",
            field.path()
        );
    }
}

#[test]
fn opp_055_stages_disagree_only_when_aws_closed_differently() {
    for aws_stage in all_aws_stages() {
        let mut details = AwsDetails::default();
        in_aws_stage(&mut details, aws_stage);
        let summary = summary_with(&details);
        for partner_stage in Stage::ALL.iter().copied() {
            let record = in_stage(partner_stage, InvolvementType::CoSell);
            let expected = match aws_stage {
                Some(AwsStage::Launched) => partner_stage.name() != "LAUNCHED",
                Some(AwsStage::ClosedLost) => partner_stage.name() != "CLOSED_LOST",
                _ => false,
            };
            let disagrees = summary.disagrees_with(record.details().life_cycle.stage);
            assert_eq!(
                disagrees, expected,
                "AWS {aws_stage:?}, partner {partner_stage:?}"
            );
            // The partner's view has the same flag: it reveals nothing about a hidden stage.
            let view = summary.clone().for_partner();
            assert_eq!(view.disagrees_with(partner_stage), disagrees);
        }
    }
}

#[test]
fn opp_054_closed_lost_reason_is_required_only_in_closed_lost() {
    let at = "life_cycle.closed_lost_reason";
    for stage in all_aws_stages() {
        let with = |reason: &'static str| {
            violations_of(move |details| {
                details.life_cycle.stage = stage;
                details.life_cycle.closed_lost_reason = reason.to_owned();
            })
        };
        let is_lost = stage == Some(AwsStage::ClosedLost);
        let (without_reason, with_reason) = if is_lost {
            (single_violation(at, RequiredFieldMissing), Vec::new())
        } else {
            (Vec::new(), single_violation(at, InvalidValue))
        };
        assert_eq!(with(""), without_reason, "{stage:?}");
        assert_eq!(with("Price"), with_reason, "{stage:?}");
        assert_eq!(
            with("Unknown reason"),
            single_violation(at, InvalidEnumValue),
            "{stage:?}"
        );
    }
    for reason in AWS_CLOSED_LOST_REASON.values {
        let violations = violations_of(|details| {
            details.life_cycle.stage = Some(AwsStage::ClosedLost);
            (*reason).clone_into(&mut details.life_cycle.closed_lost_reason);
        });
        assert_eq!(violations, [], "{reason}");
    }
    let mut details = complete_details(Some(AwsStage::ClosedLost));
    details.life_cycle.closed_lost_reason = "lost to competitor – google".to_owned();
    let summary = summary_with(&details);
    assert_eq!(
        summary.details().life_cycle.closed_lost_reason,
        "Lost to Competitor - Google"
    );
}

#[test]
fn opp_054_next_steps_history_retains_last_fifty() {
    let mut summary = empty_summary();
    for number in 1..=60 {
        let mut input = AwsDetails::default();
        input.life_cycle.next_steps = format!("Step {number}").into();
        let changed = summary.update(&[AwsField::NextSteps], &input, &policy(), now());
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
fn opp_056_aws_team_title_must_be_one_of_seven_values() {
    assert_eq!(AWS_TEAM_TITLE.values.len(), 7);
    for title in AWS_TEAM_TITLE.values {
        let violations = violations_of(|details| details.opportunity_team = vec![contact(title)]);
        assert_eq!(violations, [], "{title}");
    }
    for title in ["", "OpportunityOwner", "Boss"] {
        let violations =
            violations_of(|details| details.opportunity_team = vec![contact("PDM"), contact(title)]);
        assert_eq!(
            violations,
            single_violation("opportunity_team[1].business_title", InvalidEnumValue),
            "{title}"
        );
    }
    let mut details = AwsDetails {
        opportunity_team: vec![Contact {
            email: "Tara@AWS.Example".into(),
            ..contact("awssalesrep")
        }],
        ..Default::default()
    };
    details.customer.contacts = vec![contact("Any customer title")];
    let summary = summary_with(&details);
    let seller = &summary.details().opportunity_team[0];
    assert_eq!(seller.business_title.reveal(), "AWSSalesRep");
    assert_eq!(seller.email.reveal(), "tara@aws.example");
}

#[test]
fn opp_057_involvement_defaults_to_opportunity_unless_aws_overrides_it() {
    let reason = Some(InvolvementTypeChangeReason::CustomerRequested);
    for requested in InvolvementType::ALL.iter().copied() {
        let record = in_status(ReviewStatus::Approved, requested);
        let mut summary = AwsSummary::empty(&record);
        assert_eq!(summary.involvement(&record), Some(requested));
        for stated in InvolvementType::ALL.iter().copied() {
            let input = AwsDetails {
                involvement_type: Some(stated),
                involvement_type_change_reason: reason,
                ..Default::default()
            };
            summary
                .update(AwsField::ALL, &input, &policy(), now())
                .expect("an involvement");
            assert_eq!(summary.involvement(&record), Some(stated));
            assert_eq!(record.involvement(), Some(requested));
        }
    }
    let violations = violations_of(|details| details.involvement_type_change_reason = reason);
    assert_eq!(
        violations,
        single_violation("involvement_type_change_reason", InvalidValue)
    );
}

#[test]
fn opp_058_expected_spend_is_normalized_to_monthly_and_target_aws() {
    let with = |entry: fn(&mut ExpectedCustomerSpend)| {
        move |details: &mut AwsDetails| {
            let mut added = spend(120);
            entry(&mut added);
            details.project.expected_customer_spend = vec![added];
        }
    };
    let at = |field: &str| format!("project.expected_customer_spend[0].{field}");
    assert_eq!(violations_of(with(|_| {})), []);
    let amount = with(|entry| entry.amount = None);
    assert_eq!(
        violations_of(amount),
        single_violation(&at("amount"), RequiredFieldMissing)
    );
    let amount = with(|entry| entry.amount = spend(0).amount);
    assert_eq!(
        violations_of(amount),
        single_violation(&at("amount"), ValueOutOfRange)
    );
    let one_time = with(|entry| entry.frequency = Some(PaymentFrequency::OneTime));
    assert_eq!(
        violations_of(one_time),
        single_violation(&at("frequency"), InvalidValue)
    );
    let in_usd = violations_of(|details| {
        details.project.aws_partition = "aws-eusc".to_owned();
        details.project.expected_customer_spend = vec![spend(1)];
    });
    assert_eq!(
        in_usd,
        single_violation(&at("amount.currency_code"), InvalidValue)
    );

    let mut details = AwsDetails::default();
    with(|entry| {
        entry.frequency = Some(PaymentFrequency::Annual);
        entry.target_company = "Self".to_owned();
    })(&mut details);
    let summary = summary_with(&details);
    assert_eq!(summary.details().project.expected_customer_spend, [spend(10)]);
}

/// An arbitrary update of one field, valid or invalid.
fn arbitrary_update() -> impl Strategy<Value = (AwsField, AwsDetails)> {
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
            let mut input = complete_details(Some(stage));
            input.life_cycle.closed_lost_reason = reason.to_owned();
            input.life_cycle.next_steps = text.as_str().into();
            input.insights.next_best_actions = text.into();
            input.insights.recommendations.truncate(number);
            input.opportunity_team[0].business_title = ["PDM", "Signatory", "Boss"][number].into();
            input.involvement_type = [None, Some(InvolvementType::CoSell), None][number];
            (field, input)
        })
}

proptest! {
    #[test]
    fn opp_050_053_random_update_sequences_preserve_summary_invariants(
        changes in proptest::collection::vec(arbitrary_update(), 1..40),
    ) {
        let record = in_status(ReviewStatus::Approved, InvolvementType::CoSell);
        let mut summary = AwsSummary::empty(&record);
        for (field, input) in changes {
            let before = summary.clone();
            match summary.update(&[field], &input, &policy(), now()) {
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

/// Stored summaries of earlier versions must remain readable. Do not change the fixture when a field is added.
#[test]
fn opp_050_summary_stored_by_first_version_remains_readable() {
    let stored = include_str!("fixture_aws_summary_v1.json");
    let summary: AwsSummary = serde_json::from_str(stored).expect("readable");
    let mut details = complete_details(Some(AwsStage::ClosedLost));
    // Fields added after the first version.
    details.insights.recommendations[0].attributes.clear();
    AwsField::SpendInsights.copy(&AwsDetails::default(), &mut details);
    AwsField::SoftwareRevenue.copy(&AwsDetails::default(), &mut details);
    assert_eq!(summary, summary_with(&details));
}

#[test]
fn opp_051_summary_before_first_aws_update_is_empty() {
    let summary = empty_summary();
    assert_eq!((summary.revision(), summary.update_time()), (0, None));
    assert_eq!(*summary.details(), AwsDetails::default());
    assert_eq!(summary.clone().for_partner(), summary);
}

#[test]
fn opp_058_trend_type_and_motion_are_standard_and_reason_requires_motion() {
    let invalid = |path: &str| vec![(path.to_owned(), InvalidEnumValue)];
    let motion = violations_of(|details| details.cosell_motion = "Alone".to_owned());
    assert_eq!(motion, invalid("cosell_motion"));
    let trend = violations_of(|details| {
        details.insights.opportunity_quality = Some(OpportunityQuality {
            score: 7,
            trend: "Sideways".to_owned(),
        });
    });
    assert_eq!(trend, invalid("insights.opportunity_quality.trend"));
    let kind = violations_of(|details| {
        details.insights.recommendations = vec![Recommendation {
            kind: "Gossip".to_owned(),
            details: "Unconfirmed".into(),
            attributes: Default::default(),
        }];
    });
    assert_eq!(kind, invalid("insights.recommendations[0].type"));
    let reason = violations_of(|details| details.cosell_motion_reason = "Because".into());
    assert_eq!(reason, [("cosell_motion_reason".to_owned(), InvalidValue)]);
    let details = AwsDetails {
        cosell_motion: "aws field – engaged".to_owned(),
        ..Default::default()
    };
    let summary = summary_with(&details);
    assert_eq!(
        summary.details().cosell_motion,
        "AWS Field-engaged",
        "stored in the spelling of the list"
    );
}
