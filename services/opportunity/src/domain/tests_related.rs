//! Solutions, products and offers of an opportunity: limits, identifier formats, ownership and the review statuses and
//! stages in which they can be associated (OPP-026, OPP-037, OPP-045 to OPP-048).

use cosell_types::{ClosedList as _, ViolationCode};
use proptest::prelude::{Strategy as _, prop_oneof, proptest};

use super::fixtures::{draft, facts, in_stage, in_status, member, minimal, now, submittable};
use super::values::{InvolvementType, RelatedEntityType as Kind, ReviewStatus, Stage, Visibility};
use super::{Event, Opportunity, Rule};

const OWN: &str = "111111111111";
const SUBSIDIARY: &str = "333333333333";
const OTHER: &str = "444444444444";

/// A well-formed identifier of an entity of the given type.
fn identifier(kind: Kind, number: usize, account: &str) -> String {
    let arn = |end: &str| format!("arn:aws:aws-marketplace:us-east-1:{account}:AWSMarketplace/{end}{number}");
    match kind {
        Kind::Solutions => format!("S-{number}"),
        Kind::AwsProducts => format!("AmazonEC{number}"),
        Kind::AwsMarketplaceSolutions => arn("Solution/soln-a"),
        Kind::AwsMarketplaceProducts => arn("SaaSProduct/prod-a"),
        Kind::AwsMarketplaceOffers => arn("Offer/offer-a"),
        Kind::AwsMarketplaceOfferSets => arn("OfferSet/offerset-a"),
    }
}

fn associate(record: &mut Opportunity, kind: Kind, identifier: &str) -> Result<Option<Event>, Rule> {
    record.associate(&member("creator"), kind, identifier, &facts(), now())
}

fn disassociate(record: &mut Opportunity, kind: Kind, identifier: &str) -> Result<Option<Event>, Rule> {
    record.disassociate(&member("creator"), kind, identifier, &facts(), now())
}

/// The code of the single violation of `entity_identifier`.
fn violation_code(result: Result<impl std::fmt::Debug, Rule>) -> ViolationCode {
    let Err(Rule::Invalid(violations)) = result else {
        panic!("{result:?}")
    };
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert_eq!(violations[0].field, "entity_identifier");
    violations[0].code
}

fn approved_in(stage: Stage) -> Opportunity {
    if stage == Stage::Prospect {
        return in_status(ReviewStatus::Approved, InvolvementType::CoSell);
    }
    in_stage(stage, InvolvementType::CoSell)
}

#[test]
fn opp_045_association_by_type_status_and_stage_matches_rules() {
    let by_status = ReviewStatus::ALL
        .iter()
        .filter(|status| **status != ReviewStatus::Approved)
        .map(|status| in_status(*status, InvolvementType::CoSell));
    let by_stage = Stage::ALL.iter().map(|stage| approved_in(*stage));
    for before in by_status.chain(by_stage) {
        let lifecycle_state = before.lifecycle_state();
        // Only some decisions open entities in ACTION_REQUIRED (OPP-040).
        let locked = [
            ReviewStatus::ActionRequired,
            ReviewStatus::Submitted,
            ReviewStatus::InReview,
            ReviewStatus::Rejected,
        ];
        for kind in Kind::ALL.iter().copied() {
            let is_lost = lifecycle_state.stage == Stage::ClosedLost && kind.is_offer();
            let is_possible = !locked.contains(&lifecycle_state.status) && !is_lost;
            let mut record = before.clone();
            let result = associate(&mut record, kind, &identifier(kind, 2, OWN));
            if is_possible {
                assert_eq!(
                    result,
                    Ok(Some(Event::Related(kind))),
                    "{kind:?} in {lifecycle_state:?}"
                );
                assert_eq!(record.revision(), before.revision() + 1);
                let event = disassociate(&mut record, kind, &identifier(kind, 2, OWN));
                assert_eq!(event, Ok(Some(Event::Related(kind))));
                assert_eq!(record.details(), before.details());
            } else {
                assert!(
                    matches!(result, Err(Rule::ActionNotAllowed { .. })),
                    "{kind:?} in {lifecycle_state:?}: {result:?}"
                );
                assert_eq!(record, before);
            }
        }
    }
}

#[test]
fn opp_045_association_respects_type_limit_and_ignores_duplicates() {
    for kind in Kind::ALL.iter().copied() {
        let mut record = draft(minimal());
        for number in 1..=kind.limit() {
            associate(&mut record, kind, &identifier(kind, number, OWN))
                .expect("an association within the limit")
                .expect("an event");
        }
        assert_eq!(
            associate(&mut record, kind, &identifier(kind, 1, OWN)),
            Ok(None),
            "{kind:?}"
        );
        let excess = identifier(kind, kind.limit() + 1, OWN);
        assert_eq!(
            violation_code(associate(&mut record, kind, &excess)),
            ViolationCode::TooManyValues,
            "{kind:?}"
        );
        assert_eq!(disassociate(&mut record, kind, &excess), Ok(None), "{kind:?}");
    }
}

#[test]
fn opp_046_unknown_solutions_and_products_are_refused() {
    for kind in [Kind::Solutions, Kind::AwsProducts] {
        let unknown = identifier(kind, 99, OWN);
        assert_eq!(
            violation_code(associate(&mut draft(minimal()), kind, &unknown)),
            ViolationCode::InvalidValue
        );
    }
    let mut details = minimal();
    details.related_entity_identifiers.solutions = vec!["S-1".to_owned(), "S-99".to_owned()];
    details.related_entity_identifiers.aws_products = vec!["Unknown".to_owned()];
    let id = cosell_types::OpportunityId::from_number(7).expect("an id");
    let account = OWN.parse().expect("an account");
    let created = Opportunity::create(id, account, member("creator"), details, &facts(), now());
    let Err(Rule::Invalid(violations)) = created else {
        panic!("{created:?}")
    };
    let fields: Vec<_> = violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "related_entity_identifiers.solutions[1]",
            "related_entity_identifiers.aws_products[0]"
        ]
    );
}

#[test]
fn opp_047_offer_excludes_offer_set_and_blocks_submission() {
    let kinds = [Kind::AwsMarketplaceOffers, Kind::AwsMarketplaceOfferSets];
    for (offer, excluded) in [(kinds[0], kinds[1]), (kinds[1], kinds[0])] {
        let mut record = draft(submittable());
        associate(&mut record, offer, &identifier(offer, 1, OWN)).expect("an offer");
        let refusal = violation_code(associate(&mut record, excluded, &identifier(excluded, 1, OWN)));
        assert_eq!(refusal, ViolationCode::InvalidValue);
        let submit = |record: &mut Opportunity| {
            let by = member("creator");
            record.submit(&by, InvolvementType::CoSell, Visibility::Full, &facts(), now())
        };
        let Err(Rule::Invalid(violations)) = submit(&mut record) else {
            panic!("a submission with an offer was accepted")
        };
        assert_eq!(violations[0].field, offer.path());
        disassociate(&mut record, offer, &identifier(offer, 1, OWN)).expect("no offer");
        submit(&mut record).expect("a submission");
        // Offers of other accounts are refused, those of subsidiaries included.
        let subsidiary_offer = identifier(offer, 1, SUBSIDIARY);
        assert_eq!(
            violation_code(associate(&mut draft(minimal()), offer, &subsidiary_offer)),
            ViolationCode::InvalidValue
        );
    }
}

#[test]
fn opp_048_marketplace_entity_must_belong_to_account_or_subsidiary() {
    for kind in [Kind::AwsMarketplaceSolutions, Kind::AwsMarketplaceProducts] {
        let mut record = draft(minimal());
        for account in [OWN, SUBSIDIARY] {
            let added = associate(&mut record, kind, &identifier(kind, 1, account));
            assert_eq!(added, Ok(Some(Event::Related(kind))), "{account}");
        }
        let refused = associate(&mut record, kind, &identifier(kind, 1, OTHER));
        assert_eq!(refused, Err(Rule::NoSubsidiary));
    }
}

#[test]
fn opp_026_last_required_solution_of_approved_record_cannot_be_removed() {
    for (stage, is_needed) in [
        (Stage::Qualified, true),
        (Stage::Committed, true),
        (Stage::ClosedLost, false),
    ] {
        let mut record = approved_in(stage);
        let removed = disassociate(&mut record, Kind::Solutions, "S-1");
        assert_eq!(removed.is_err(), is_needed, "{stage:?}: {removed:?}");
        if is_needed {
            assert_eq!(violation_code(removed), ViolationCode::NotEnoughValues);
            associate(&mut record, Kind::Solutions, "S-2").expect("another one");
            disassociate(&mut record, Kind::Solutions, "S-1").expect("the first one");
        }
    }
    let mut draft = draft(submittable());
    disassociate(&mut draft, Kind::Solutions, "S-1").expect("a draft needs none");
}

#[test]
fn opp_037_clone_drops_offers_and_inactive_solutions() {
    let mut source = in_status(ReviewStatus::Approved, InvolvementType::CoSell);
    for kind in [
        Kind::Solutions,
        Kind::AwsMarketplaceProducts,
        Kind::AwsMarketplaceOffers,
    ] {
        associate(&mut source, kind, &identifier(kind, 2, OWN)).expect("an entity");
    }
    let mut facts = facts();
    facts.solutions.remove("S-1");
    let id = cosell_types::OpportunityId::from_number(8).expect("an id");
    let nothing = super::Details::default();
    let (clone, _) = source
        .clone_with(id, member("cloner"), &[], &nothing, &facts, now())
        .expect("a clone");
    let related = &clone.details().related_entity_identifiers;
    assert_eq!(related.solutions, ["S-2"]);
    assert_eq!(related.aws_marketplace_products.len(), 1);
    assert_eq!(related.offer(), None);
}

proptest! {
    /// An identifier matches the format of at most one type.
    #[test]
    fn opp_045_identifier_format_matches_at_most_one_type(
        identifier in prop_oneof![
            (0..6_usize, 1..999_usize).prop_map(|(kind, number)| identifier(Kind::ALL[kind], number, OWN)),
            "arn:[a-z:0-9/A-Z-]{0,40}",
            "S-[0-9]{0,21}",
        ],
    ) {
        // A product code can be any text.
        let kinds: Vec<_> = Kind::ALL
            .iter()
            .filter(|kind| **kind != Kind::AwsProducts && kind.fits(&identifier))
            .collect();
        proptest::prop_assert!(kinds.len() <= 1, "{identifier}: {kinds:?}");
    }
}
