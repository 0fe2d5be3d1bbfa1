//! Shared copies: the opportunity that a receiver gets when it accepts an invitation to another partner's opportunity
//! (OPP-092). Covers the copied fields, the review status, and which updates a copy accepts.

use cosell_types::{ClosedList as _, OpportunityId, ViolationCode};

use super::fixtures::{facts, in_status, member, now, spend, submittable};
use super::values::{
    CompetitorName, DeliveryModel, InvolvementType, MarketingSource, Origin, PrimaryNeedFromAws,
    ReviewReason, ReviewStatus, Stage,
};
use super::{
    Contact, Details, Event, Field, Opportunity, RelatedEntityIdentifiers, ReviewOutcome, Rule, Tag,
};

const INVITATION: &str = "engi-a000000000004";

fn copy_of(source: &Opportunity) -> Opportunity {
    let (copy, event) = Opportunity::create_shared_copy(
        OpportunityId::from_number(8).expect("an id"),
        "222222222222".parse().expect("an account"),
        member("receiver"),
        INVITATION,
        source,
        now(),
    );
    assert_eq!(event, Event::Created);
    copy
}

fn copy_in(status: ReviewStatus) -> Opportunity {
    copy_of(&in_status(status, InvolvementType::CoSell))
}

/// A source record with every field set.
fn complete_record() -> Opportunity {
    let mut source = in_status(ReviewStatus::Approved, InvolvementType::CoSell);
    let details = &mut source.details;
    details.partner_opportunity_identifier = "CRM-1".to_owned();
    details.customer.contacts = vec![Contact {
        first_name: "Ute".into(),
        ..Contact::default()
    }];
    details.customer.account.duns = "123456789".into();
    details.customer.account.aws_account_id = "444444444444".into();
    details.project.competitor_name = Some(CompetitorName::OnPrem);
    details.project.other_competitor_names = "Another cloud".to_owned();
    details.project.migration.workload = "SAP".to_owned();
    details.project.aws_partition = "aws-eusc".to_owned();
    details.project.sub_use_case = "Warehouse".to_owned();
    details.project.expected_contract_duration = Some(12);
    details.project.other_solution_description = "A landing zone".into();
    details.project.additional_comments = "Internal comment".into();
    details.project.related_opportunity_id = OpportunityId::from_number(1);
    details.project.apn_programs = vec!["P3".to_owned()];
    details.marketing.source = Some(MarketingSource::MarketingActivity);
    details.marketing.aws_funding_used = Some(true);
    details.software_revenue.effective_date = "2026-04-01".parse().ok();
    details.life_cycle.stage = Stage::Committed;
    details.life_cycle.next_steps = "Sign".into();
    details.opportunity_team = vec![Contact::default()];
    details.lead_source = "Fair".to_owned();
    details.tags = vec![Tag::default()];
    source
}

#[test]
fn opp_092_shared_copy_excludes_partner_specific_fields() {
    let source = complete_record();
    let copy = copy_of(&source);
    let mut expected = source.details.clone();
    // People and numbers of the customer, which snapshots hide.
    expected.customer.contacts.clear();
    expected.customer.account.duns = "".into();
    expected.customer.account.aws_account_id = "".into();
    // Partner-specific fields, which are not copied.
    expected.lead_source.clear();
    expected.project.competitor_name = None;
    expected.project.other_competitor_names.clear();
    expected.project.migration = Default::default();
    expected.project.aws_partition = Default::default();
    expected.partner_opportunity_identifier.clear();
    expected.primary_needs_from_aws.clear();
    expected.opportunity_team.clear();
    expected.tags.clear();
    expected.project.customer_use_case.clear();
    expected.project.sub_use_case.clear();
    expected.project.apn_programs.clear();
    expected.project.delivery_models.clear();
    expected.project.expected_customer_spend.clear();
    expected.project.expected_contract_duration = None;
    expected.project.other_solution_description = "".into();
    expected.project.additional_comments = "".into();
    expected.project.related_opportunity_id = None;
    expected.marketing = Default::default();
    expected.software_revenue = Default::default();
    expected.related_entity_identifiers = RelatedEntityIdentifiers::default();
    expected.life_cycle = Default::default();
    assert_eq!(copy.details(), &expected);
    assert!(!copy.details().customer.account.company_name.is_empty());

    let source_of_copy = copy.shared_from().expect("a source");
    assert_eq!(
        (
            source_of_copy.invitation.as_str(),
            &source_of_copy.account,
            source_of_copy.opportunity
        ),
        (INVITATION, source.account(), source.id())
    );
    assert_eq!(
        (copy.revision(), copy.origin, copy.involvement),
        (1, Origin::PartnerReferral, source.involvement)
    );
    assert_eq!(
        (&copy.owner, &copy.created_by),
        (&member("receiver"), &member("receiver"))
    );
    assert_eq!((copy.review.round, copy.next_steps_history.len()), (0, 0));
    assert!(
        source.shared_from().is_none(),
        "the source record is not a shared copy"
    );
}

/// The initial review status of a copy, for each review status of the source.
#[test]
fn opp_092_shared_copy_takes_source_decision_or_starts_as_submitted() {
    for status in ReviewStatus::ALL.iter().copied() {
        let copy = copy_in(status);
        let expected = match status {
            ReviewStatus::Approved | ReviewStatus::Rejected => status,
            _ => ReviewStatus::Submitted,
        };
        assert_eq!(copy.review.status, expected, "{status:?}");
        let has_reason = status == ReviewStatus::Rejected;
        assert_eq!(copy.review.reason.is_some(), has_reason, "{status:?}");
        assert!(copy.review.remarks.is_empty(), "review remarks are not copied");
    }
}

/// Details of a draft or of a classified record are never copied: the copy has the last shareable details.
#[test]
fn opp_092_shared_copy_of_unshareable_record_uses_last_shareable_details() {
    let earlier = complete_record();
    for status in ReviewStatus::ALL.iter().copied() {
        let shareable = in_status(status, InvolvementType::CoSell).is_shareable();
        assert_eq!(shareable, status != ReviewStatus::PendingSubmission, "{status:?}");
    }
    let mut current = complete_record();
    current.details.national_security = Some(true);
    assert!(!current.is_shareable());
    current.details.project.title = "Mallard".into();
    current.review.status = ReviewStatus::Rejected;
    let copy = copy_of(&current.with_content_of(earlier.clone()));
    assert_eq!(copy.details.project.title, earlier.details.project.title);
    assert!(!copy.is_classified());
    assert_eq!(
        copy.review.status,
        ReviewStatus::Rejected,
        "the review status is the current one"
    );
}

#[test]
fn opp_092_only_pending_shared_copy_follows_source_decision() {
    let reason = ReviewReason::Other;
    for (outcome, expected_status, event) in [
        (
            ReviewOutcome::Approved,
            ReviewStatus::Approved,
            Some(Event::Approved),
        ),
        (
            ReviewOutcome::Rejected(reason),
            ReviewStatus::Rejected,
            Some(Event::Rejected(reason)),
        ),
        // ACTION_REQUIRED concerns only the source.
        (
            ReviewOutcome::ActionRequired(reason),
            ReviewStatus::Submitted,
            None,
        ),
    ] {
        let mut copy = copy_in(ReviewStatus::Submitted);
        assert_eq!(copy.apply_source_decision(outcome, now()), event);
        assert_eq!(copy.review.status, expected_status);
        assert_eq!(copy.revision(), 1 + i64::from(event.is_some()));
        assert_eq!(
            copy.review.reason,
            (expected_status == ReviewStatus::Rejected).then_some(reason)
        );
        for decided_status in [ReviewStatus::Approved, ReviewStatus::Rejected] {
            let before = copy_in(decided_status);
            let mut copy = before.clone();
            assert_eq!(copy.apply_source_decision(outcome, now()), None);
            assert_eq!(copy, before, "a decided copy must not change");
        }
        for status in ReviewStatus::ALL.iter().copied() {
            let before = in_status(status, InvolvementType::CoSell);
            let mut own_record = before.clone();
            assert_eq!(
                own_record.apply_source_decision(outcome, now()),
                None,
                "{status:?}"
            );
            assert_eq!(own_record, before);
        }
    }
}

#[test]
fn opp_092_shared_copy_cannot_be_withdrawn_by_receiver() {
    for status in ReviewStatus::ALL.iter().copied() {
        let before = copy_in(status);
        let mut copy = before.clone();
        let refused = copy.withdraw(&member("receiver"), now());
        assert!(
            matches!(refused, Err(Rule::ActionNotAllowed { .. })),
            "{status:?}: {refused:?}"
        );
        let refused = copy.submit(
            &member("receiver"),
            InvolvementType::CoSell,
            super::values::Visibility::Full,
            &facts(),
            now(),
        );
        assert!(refused.is_err(), "{status:?}");
        assert_eq!(copy, before);
    }
}

fn update(copy: &mut Opportunity, fields: &[Field], input: &Details) -> Result<Option<Event>, Rule> {
    copy.update(&member("receiver"), fields, input, &facts(), now())
}

fn missing_fields(refused: Result<Option<Event>, Rule>) -> Vec<String> {
    let Err(Rule::Invalid(violations)) = refused else {
        panic!("{refused:?}")
    };
    let missing = |violation: &cosell_types::Violation| violation.code == ViolationCode::RequiredFieldMissing;
    assert!(violations.iter().all(missing), "{violations:?}");
    let mut fields: Vec<_> = violations.into_iter().map(|violation| violation.field).collect();
    fields.sort();
    fields
}

#[test]
fn opp_092_shared_copy_requires_omitted_fields_from_qualified_on() {
    let mut copy = copy_in(ReviewStatus::Approved);
    let mut input = copy.details().clone();
    input.life_cycle.next_steps = "Call".into();
    assert!(matches!(
        update(&mut copy, &[Field::NextSteps], &input),
        Ok(Some(_))
    ));

    let before = copy.clone();
    for stage in [
        Stage::Qualified,
        Stage::TechnicalValidation,
        Stage::BusinessValidation,
    ] {
        let mut input = copy.details().clone();
        input.life_cycle.stage = stage;
        assert_eq!(
            missing_fields(update(&mut copy, &[Field::Stage], &input)),
            [
                "life_cycle.target_close_date",
                "primary_needs_from_aws",
                "project.customer_use_case",
                "project.delivery_models",
                "project.expected_customer_spend",
                "related_entity_identifiers",
            ],
            "{stage:?}"
        );
        assert_eq!(copy, before);
    }

    // Requirements on other fields apply at PROSPECT too.
    let mut input = copy.details().clone();
    input.project.competitor_name = Some(CompetitorName::Other);
    assert_eq!(
        missing_fields(update(&mut copy, &[Field::CompetitorName], &input)),
        ["project.other_competitor_names"]
    );

    // Values that are set are validated as in every record.
    let mut input = copy.details().clone();
    input.project.customer_use_case = "Unknown use case".to_owned();
    assert!(update(&mut copy, &[Field::CustomerUseCase], &input).is_err());

    let complete = submittable();
    let mut input = copy.details().clone();
    input.primary_needs_from_aws = vec![PrimaryNeedFromAws::DealSupport];
    input.project.customer_use_case = complete.project.customer_use_case;
    input.project.delivery_models = vec![DeliveryModel::Resell];
    input.project.expected_customer_spend = vec![spend(100)];
    input.project.other_solution_description = "A landing zone".into();
    input.life_cycle.target_close_date = complete.life_cycle.target_close_date;
    input.life_cycle.stage = Stage::Qualified;
    let fields = [
        Field::PrimaryNeedsFromAws,
        Field::CustomerUseCase,
        Field::DeliveryModels,
        Field::ExpectedCustomerSpend,
        Field::OtherSolutionDescription,
        Field::TargetCloseDate,
        Field::Stage,
    ];
    assert!(matches!(
        update(&mut copy, &fields, &input),
        Ok(Some(Event::StageChanged { .. }))
    ));
}

#[test]
fn opp_092_submitted_shared_copy_cannot_be_updated() {
    let mut copy = copy_in(ReviewStatus::Submitted);
    let mut input = copy.details().clone();
    input.life_cycle.next_steps = "Call".into();
    let refused = update(&mut copy, &[Field::NextSteps], &input);
    assert!(matches!(refused, Err(Rule::RecordNotEditable(_))), "{refused:?}");
}

/// Needs are locked in an approved co-sell record, but a copy allows setting them once.
#[test]
fn opp_040_092_shared_copy_allows_setting_needs_once() {
    for involvement in InvolvementType::ALL.iter().copied() {
        let own_record = in_status(ReviewStatus::Approved, involvement);
        let mut copy = copy_of(&own_record);
        let locked = |record: &Opportunity| -> Vec<Field> {
            let fields = Field::ALL.iter().copied();
            fields.filter(|field| !record.is_field_editable(*field)).collect()
        };
        let mut expected = locked(&own_record);
        expected.retain(|field| *field != Field::PrimaryNeedsFromAws);
        assert_eq!(locked(&copy), expected, "{involvement:?}");
        if involvement == InvolvementType::ForVisibilityOnly {
            continue;
        }
        let mut input = copy.details().clone();
        input.primary_needs_from_aws = vec![PrimaryNeedFromAws::DealSupport];
        let update_result = update(&mut copy, &[Field::PrimaryNeedsFromAws], &input);
        assert!(matches!(update_result, Ok(Some(_))), "{update_result:?}");
        assert_eq!(locked(&copy), locked(&own_record));
        input.primary_needs_from_aws.clear();
        let refused = update(&mut copy, &[Field::PrimaryNeedsFromAws], &input);
        assert!(matches!(refused, Err(Rule::FieldsNotEditable(..))), "{refused:?}");
    }
    let pending = copy_in(ReviewStatus::Submitted);
    assert!(
        Field::ALL.iter().all(|field| !pending.is_field_editable(*field)),
        "no field is editable in a submitted copy"
    );
}
