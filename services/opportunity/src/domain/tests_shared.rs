//! Copies of deals that another partner has shared (OPP-092).

use cosell_types::{ClosedList as _, OpportunityId, ViolationCode};

use super::fixtures::{facts, in_status, member, now, spend, submittable};
use super::values::{
    CompetitorName, DeliveryModel, InvolvementType, MarketingSource, Origin, PrimaryNeedFromAws,
    ReviewReason, ReviewStatus, Stage,
};
use super::{Contact, Details, Event, Field, Opportunity, Outcome, RelatedEntityIdentifiers, Rule, Tag};

const INVITATION: &str = "engi-a000000000004";

fn copy_of(source: &Opportunity) -> Opportunity {
    let (copy, event) = Opportunity::shared(
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

/// A source that says everything there is to say.
fn full() -> Opportunity {
    let mut source = in_status(ReviewStatus::Approved, InvolvementType::CoSell);
    let details = &mut source.details;
    details.partner_opportunity_identifier = "CRM-1".to_owned();
    details.customer.contacts = vec![Contact {
        first_name: "Ute".into(),
        ..Contact::default()
    }];
    details.project.sub_use_case = "Warehouse".to_owned();
    details.project.expected_contract_duration = Some(12);
    details.project.other_solution_description = "A landing zone".into();
    details.project.additional_comments = "Between us".into();
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
fn opp_092_a_copy_has_the_deal_and_nothing_that_is_each_partners_own() {
    let source = full();
    let copy = copy_of(&source);
    let mut expected = source.details.clone();
    // What is each partner's own, field by field.
    expected.partner_opportunity_identifier.clear();
    expected.primary_needs_from_aws.clear();
    expected.opportunity_team.clear();
    expected.tags.clear();
    expected.project.customer_use_case.clear();
    expected.project.sub_use_case.clear();
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
    let own = Details {
        customer: source.details.customer.clone(),
        opportunity_type: source.details.opportunity_type,
        lead_source: source.details.lead_source.clone(),
        ..copy.details().clone()
    };
    assert_eq!(
        copy.details(),
        &own,
        "the customer, the kind of business and the lead source come along"
    );

    let from = copy.source().expect("a source");
    assert_eq!(
        (from.invitation.as_str(), &from.account, from.opportunity),
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
    assert!(source.source().is_none(), "a deal of one's own is no copy");
}

/// Where a copy stands when the other's record stands there.
#[test]
fn opp_092_a_copy_stands_where_the_other_record_was_decided_and_else_waits_for_it() {
    for status in ReviewStatus::ALL.iter().copied() {
        let copy = copy_in(status);
        let expected = match status {
            ReviewStatus::Approved | ReviewStatus::Rejected => status,
            _ => ReviewStatus::Submitted,
        };
        assert_eq!(copy.review.status, expected, "{status:?}");
        let is_told_why = status == ReviewStatus::Rejected;
        assert_eq!(copy.review.reason.is_some(), is_told_why, "{status:?}");
        assert!(
            copy.review.remarks.is_empty(),
            "what AWS wrote was for the other one"
        );
    }
}

/// Every review status of a copy, and of a deal of one's own, by every decision.
/// What a draft says, or what has become classified, is in no copy: it says what the record last said before.
#[test]
fn opp_092_a_copy_of_what_cannot_be_shared_any_more_says_what_could_be() {
    let earlier = full();
    for status in ReviewStatus::ALL.iter().copied() {
        let shareable = in_status(status, InvolvementType::CoSell).is_shareable();
        assert_eq!(shareable, status != ReviewStatus::PendingSubmission, "{status:?}");
    }
    let mut now = full();
    now.details.national_security = Some(true);
    assert!(!now.is_shareable());
    now.details.project.title = "Mallard".into();
    now.review.status = ReviewStatus::Rejected;
    let copy = copy_of(&now.saying(earlier.clone()));
    assert_eq!(copy.details.project.title, earlier.details.project.title);
    assert!(!copy.is_classified());
    assert_eq!(
        copy.review.status,
        ReviewStatus::Rejected,
        "it stands where the record stands now"
    );
}

#[test]
fn opp_092_a_copy_follows_what_is_decided_and_nothing_else_does() {
    let reason = ReviewReason::Other;
    for (outcome, becomes, event) in [
        (Outcome::Approved, ReviewStatus::Approved, Some(Event::Approved)),
        (
            Outcome::Rejected(reason),
            ReviewStatus::Rejected,
            Some(Event::Rejected(reason)),
        ),
        // What is to be done is the other one's to do.
        (Outcome::ActionRequired(reason), ReviewStatus::Submitted, None),
    ] {
        let mut copy = copy_in(ReviewStatus::Submitted);
        assert_eq!(copy.follow(outcome, now()), event);
        assert_eq!(copy.review.status, becomes);
        assert_eq!(copy.revision(), 1 + i64::from(event.is_some()));
        assert_eq!(
            copy.review.reason,
            (becomes == ReviewStatus::Rejected).then_some(reason)
        );
        for decided in [ReviewStatus::Approved, ReviewStatus::Rejected] {
            let before = copy_in(decided);
            let mut copy = before.clone();
            assert_eq!(copy.follow(outcome, now()), None);
            assert_eq!(copy, before, "it was decided before");
        }
        for status in ReviewStatus::ALL.iter().copied() {
            let before = in_status(status, InvolvementType::CoSell);
            let mut own = before.clone();
            assert_eq!(own.follow(outcome, now()), None, "{status:?}");
            assert_eq!(own, before);
        }
    }
}

#[test]
fn opp_092_whoever_has_a_copy_did_not_submit_it_and_does_not_take_it_back() {
    for status in ReviewStatus::ALL.iter().copied() {
        let before = copy_in(status);
        let mut copy = before.clone();
        let refused = copy.withdraw(&member("receiver"), now());
        assert!(
            matches!(refused, Err(Rule::NotPossible { .. })),
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

fn update(copy: &mut Opportunity, fields: &[Field], given: &Details) -> Result<Option<Event>, Rule> {
    copy.update(&member("receiver"), fields, given, &facts(), now())
}

fn missing(refused: Result<Option<Event>, Rule>) -> Vec<String> {
    let Err(Rule::Invalid(found)) = refused else {
        panic!("{refused:?}")
    };
    let missing = |found: &cosell_types::Violation| found.code == ViolationCode::RequiredFieldMissing;
    assert!(found.iter().all(missing), "{found:?}");
    let mut fields: Vec<_> = found.into_iter().map(|wrong| wrong.field).collect();
    fields.sort();
    fields
}

#[test]
fn opp_092_what_is_left_open_may_be_missing_at_prospect_and_is_asked_for_from_qualified_on() {
    let mut copy = copy_in(ReviewStatus::Approved);
    let mut given = copy.details().clone();
    given.life_cycle.next_steps = "Call".into();
    assert!(matches!(
        update(&mut copy, &[Field::NextSteps], &given),
        Ok(Some(_))
    ));

    let before = copy.clone();
    for stage in [
        Stage::Qualified,
        Stage::TechnicalValidation,
        Stage::BusinessValidation,
    ] {
        let mut given = copy.details().clone();
        given.life_cycle.stage = stage;
        assert_eq!(
            missing(update(&mut copy, &[Field::Stage], &given)),
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

    // What was never open is asked for at once.
    let mut given = copy.details().clone();
    given.project.competitor_name = Some(CompetitorName::Other);
    assert_eq!(
        missing(update(&mut copy, &[Field::CompetitorName], &given)),
        ["project.other_competitor_names"]
    );

    // What is filled in is checked as anywhere.
    let mut given = copy.details().clone();
    given.project.customer_use_case = "Nothing".to_owned();
    assert!(update(&mut copy, &[Field::CustomerUseCase], &given).is_err());

    let full = submittable();
    let mut given = copy.details().clone();
    given.primary_needs_from_aws = vec![PrimaryNeedFromAws::DealSupport];
    given.project.customer_use_case = full.project.customer_use_case;
    given.project.delivery_models = vec![DeliveryModel::Resell];
    given.project.expected_customer_spend = vec![spend(100)];
    given.project.other_solution_description = "A landing zone".into();
    given.life_cycle.target_close_date = full.life_cycle.target_close_date;
    given.life_cycle.stage = Stage::Qualified;
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
        update(&mut copy, &fields, &given),
        Ok(Some(Event::StageChanged { .. }))
    ));
}

#[test]
fn opp_092_a_copy_that_waits_cannot_be_changed() {
    let mut copy = copy_in(ReviewStatus::Submitted);
    let mut given = copy.details().clone();
    given.life_cycle.next_steps = "Call".into();
    let refused = update(&mut copy, &[Field::NextSteps], &given);
    assert!(matches!(refused, Err(Rule::RecordNotEditable(_))), "{refused:?}");
}

/// Needs are closed in an approved deal for co-sell, but a copy has to name them once.
#[test]
fn opp_040_092_a_copy_names_its_needs_once() {
    for involvement in InvolvementType::ALL.iter().copied() {
        let own = in_status(ReviewStatus::Approved, involvement);
        let mut copy = copy_of(&own);
        let closed = |record: &Opportunity| -> Vec<Field> {
            let fields = Field::ALL.iter().copied();
            fields.filter(|field| !record.is_open(*field)).collect()
        };
        let mut expected = closed(&own);
        expected.retain(|field| *field != Field::PrimaryNeedsFromAws);
        assert_eq!(closed(&copy), expected, "{involvement:?}");
        if involvement == InvolvementType::ForVisibilityOnly {
            continue;
        }
        let mut given = copy.details().clone();
        given.primary_needs_from_aws = vec![PrimaryNeedFromAws::DealSupport];
        let named = update(&mut copy, &[Field::PrimaryNeedsFromAws], &given);
        assert!(matches!(named, Ok(Some(_))), "{named:?}");
        assert_eq!(closed(&copy), closed(&own));
        given.primary_needs_from_aws.clear();
        let refused = update(&mut copy, &[Field::PrimaryNeedsFromAws], &given);
        assert!(matches!(refused, Err(Rule::FieldsNotEditable(..))), "{refused:?}");
    }
    let waits = copy_in(ReviewStatus::Submitted);
    assert!(
        Field::ALL.iter().all(|field| !waits.is_open(*field)),
        "nothing is open while it waits"
    );
}
