//! What can be changed in ACTION_REQUIRED: the fields and entities that the reason of the decision opens (OPP-040,
//! OPP-045), and a missing answer on national security (OPP-017).

use cosell_types::{ClosedList as _, ViolationCode};

use super::fixtures::{draft, facts, in_correction, in_status, member, now, submittable};
use super::reference::GOVERNMENT;
use super::values::{
    ClosedLostReason, InvolvementType, RelatedEntityType, ReviewReason, ReviewStatus, Stage, Visibility,
};
use super::{Details, Field, Opportunity, Rule};

/// The fields that each reason opens, besides those that every decision opens.
const TABLE: [(ReviewReason, &[&str]); 6] = [
    (
        ReviewReason::ClarifySolution,
        &[
            "project.title",
            "project.customer_use_case",
            "project.sub_use_case",
            "project.delivery_models",
            "project.apn_programs",
            "project.other_solution_description",
            "related_entity_identifiers.solutions",
            "related_entity_identifiers.aws_products",
            "related_entity_identifiers.aws_marketplace_solutions",
            "related_entity_identifiers.aws_marketplace_products",
        ],
    ),
    (
        ReviewReason::ClarifyRevenue,
        &[
            "project.expected_contract_duration",
            "software_revenue.delivery_model",
            "software_revenue.value",
            "software_revenue.effective_date",
            "software_revenue.expiration_date",
        ],
    ),
    (
        ReviewReason::ForecastConflict,
        &["life_cycle.stage", "life_cycle.next_steps"],
    ),
    (ReviewReason::BulkUploadResponse, &[]),
    (ReviewReason::Other, &[]),
    (ReviewReason::OtherInternalReview, &[]),
];

/// The fields that every decision opens.
const COMMON: [&str; 10] = [
    "partner_opportunity_identifier",
    "customer.account.website_url",
    "customer.account.address.country_code",
    "customer.account.address.postal_code",
    "customer.account.address.state_or_region",
    "customer.account.address.city",
    "customer.account.address.street_address",
    "project.customer_business_problem",
    // Amount, currency, frequency, target company and estimation URL: with these four, 14 fields of AWS's API.
    "project.expected_customer_spend",
    "life_cycle.target_close_date",
];

fn sorted(paths: impl IntoIterator<Item = &'static str>) -> Vec<&'static str> {
    let mut paths: Vec<_> = paths.into_iter().collect();
    paths.sort_unstable();
    paths
}

#[test]
fn opp_040_each_reason_opens_what_it_asks_about() {
    assert_eq!(TABLE.len(), ReviewReason::ALL.len());
    for (reason, fields) in TABLE {
        let record = in_correction(submittable(), reason, &[]);
        let expected = sorted(COMMON.into_iter().chain(fields.iter().copied()));
        assert_eq!(sorted(record.correctable_fields()), expected, "{reason:?}");
    }
}

#[test]
fn opp_040_named_fields_and_entities_are_open_besides_those_of_the_reason() {
    let named = ["lead_source", "related_entity_identifiers.aws_products"];
    let record = in_correction(submittable(), ReviewReason::Other, &named);
    let expected = sorted(COMMON.into_iter().chain(named));
    assert_eq!(sorted(record.correctable_fields()), expected);
}

#[test]
fn opp_040_no_correctable_field_is_listed_outside_action_required() {
    for status in ReviewStatus::ALL {
        if *status != ReviewStatus::ActionRequired {
            let record = in_status(*status, InvolvementType::CoSell);
            assert_eq!(record.correctable_fields(), Vec::<&str>::new(), "{status:?}");
        }
    }
}

#[test]
fn opp_045_entities_change_in_action_required_only_where_the_decision_opens_them() {
    let associate = |record: &Opportunity, kind, id| {
        record
            .clone()
            .associate(&member("creator"), kind, id, &facts(), now())
            .map(drop)
    };
    let solutions = RelatedEntityType::Solutions;
    let asked = in_correction(submittable(), ReviewReason::ClarifySolution, &[]);
    assert_eq!(associate(&asked, solutions, "S-2"), Ok(()));
    let named = in_correction(submittable(), ReviewReason::Other, &[solutions.path()]);
    assert_eq!(associate(&named, solutions, "S-2"), Ok(()));
    let products = RelatedEntityType::AwsProducts;
    for (record, kind, id) in [
        (
            &in_correction(submittable(), ReviewReason::Other, &[]),
            solutions,
            "S-2",
        ),
        (&named, products, "AmazonEC2"),
        (&asked, RelatedEntityType::AwsMarketplaceOffers, "offer"),
    ] {
        let refused = associate(record, kind, id);
        assert!(
            matches!(refused, Err(Rule::ActionNotAllowed { .. })),
            "{kind:?}: {refused:?}"
        );
    }
}

fn government(answer: Option<bool>) -> Details {
    let mut details = submittable();
    details.customer.account.industry = GOVERNMENT.to_owned();
    details.national_security = answer;
    details
}

#[test]
fn opp_017_submission_for_government_customer_requires_an_answer() {
    let submit = |answer| {
        let mut record = draft(government(answer));
        record
            .submit(
                &member("creator"),
                InvolvementType::CoSell,
                Visibility::Full,
                &facts(),
                now(),
            )
            .map(drop)
    };
    assert_eq!(submit(Some(false)), Ok(()));
    assert_eq!(submit(Some(true)), Ok(()));
    let Err(Rule::Invalid(violations)) = submit(None) else {
        panic!("a submission without an answer was accepted");
    };
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert_eq!(violations[0].field, "national_security");
    assert_eq!(violations[0].code, ViolationCode::RequiredFieldMissing);
}

/// A record that was submitted by a release that did not require the answer.
fn unanswered_in_correction() -> Opportunity {
    let mut record = in_correction(government(Some(false)), ReviewReason::Other, &[]);
    record.details.national_security = None;
    record
}

#[test]
fn opp_017_missing_answer_can_be_given_as_no_in_action_required() {
    let field = Field::NationalSecurity;
    let update = |record: &mut Opportunity, answer| {
        let input = government(answer);
        record.update(&member("creator"), &[field], &input, &facts(), now())
    };
    let mut record = unanswered_in_correction();
    let changed = update(&mut record, Some(false)).expect("an answer");
    assert!(changed.is_some_and(|event| event.changed_fields() == [field.path()]));
    assert_eq!(record.details().national_security, Some(false));
    let mut record = unanswered_in_correction();
    let refused = update(&mut record, Some(true));
    assert!(
        matches!(refused, Err(Rule::FieldsNotEditable(..))),
        "an opportunity becomes classified in ACTION_REQUIRED: {refused:?}"
    );
    let mut answered = in_correction(government(Some(false)), ReviewReason::Other, &[]);
    let cleared = update(&mut answered, None);
    assert!(
        matches!(cleared, Err(Rule::FieldsNotEditable(..))),
        "an answer is cleared in ACTION_REQUIRED: {cleared:?}"
    );
    assert_eq!(answered.details().national_security, Some(false));
    let open = |record: &Opportunity| record.correctable_fields().contains(&field.path());
    assert_eq!(
        (open(&unanswered_in_correction()), open(&answered)),
        (true, false)
    );
}

#[test]
fn opp_024_040_returned_opportunity_is_not_closed() {
    for stage in [Stage::Launched, Stage::ClosedLost] {
        let mut record = in_correction(
            submittable(),
            ReviewReason::ForecastConflict,
            &["life_cycle.closed_lost_reason"],
        );
        let mut input = submittable();
        input.life_cycle.stage = stage;
        input.life_cycle.closed_lost_reason = (stage == Stage::ClosedLost).then_some(ClosedLostReason::Price);
        let fields = [Field::Stage, Field::ClosedLostReason];
        let refused = record.update(&member("creator"), &fields, &input, &facts(), now());
        let Err(Rule::Invalid(violations)) = refused else {
            panic!("{stage:?} was accepted: {refused:?}");
        };
        assert!(
            violations
                .iter()
                .any(|violation| violation.field == "life_cycle.stage"),
            "{violations:?}"
        );
    }
}

/// GetAllowedActions offers the association of entities if the decision opens any type of them.
#[test]
fn opp_045_association_is_possible_if_any_type_is_open() {
    let is_possible = |fields: &[&str]| {
        let record = in_correction(submittable(), ReviewReason::Other, fields);
        record.can_associate_any_entity().is_ok()
    };
    assert!(!is_possible(&[]));
    assert!(is_possible(&["related_entity_identifiers.aws_products"]));
}
