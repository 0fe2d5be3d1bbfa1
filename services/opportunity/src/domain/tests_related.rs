//! What belongs to deals (OPP-045 to OPP-048).

use cosell_types::{ClosedList as _, ViolationCode};
use proptest::prelude::{Strategy as _, prop_oneof, proptest};

use super::fixtures::{draft, facts, in_stage, in_status, member, minimal, now, submittable};
use super::values::{InvolvementType, RelatedEntityType as Kind, ReviewStatus, Stage, Visibility};
use super::{Event, Opportunity, Rule};

const OWN: &str = "111111111111";
const SUBSIDIARY: &str = "333333333333";
const OTHER: &str = "444444444444";

/// The identifier of an entity of a type that can be named.
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

fn code(result: Result<impl std::fmt::Debug, Rule>) -> ViolationCode {
    let Err(Rule::Invalid(found)) = result else {
        panic!("{result:?}")
    };
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].field, "entity_identifier");
    found[0].code
}

fn approved_in(stage: Stage) -> Opportunity {
    if stage == Stage::Prospect {
        return in_status(ReviewStatus::Approved, InvolvementType::CoSell);
    }
    in_stage(stage, InvolvementType::CoSell)
}

#[test]
fn opp_045_every_type_in_every_status_and_stage() {
    let by_status = ReviewStatus::ALL
        .iter()
        .filter(|status| **status != ReviewStatus::Approved)
        .map(|status| in_status(*status, InvolvementType::CoSell));
    let by_stage = Stage::ALL.iter().map(|stage| approved_in(*stage));
    for before in by_status.chain(by_stage) {
        let now = before.situation();
        let locked = [
            ReviewStatus::Submitted,
            ReviewStatus::InReview,
            ReviewStatus::Rejected,
        ];
        for kind in Kind::ALL.iter().copied() {
            let is_lost = now.stage == Stage::ClosedLost && kind.is_offer();
            let is_possible = !locked.contains(&now.status) && !is_lost;
            let mut record = before.clone();
            let result = associate(&mut record, kind, &identifier(kind, 2, OWN));
            if is_possible {
                assert_eq!(result, Ok(Some(Event::Related(kind))), "{kind:?} in {now:?}");
                assert_eq!(record.revision(), before.revision() + 1);
                let event = disassociate(&mut record, kind, &identifier(kind, 2, OWN));
                assert_eq!(event, Ok(Some(Event::Related(kind))));
                assert_eq!(record.details(), before.details());
            } else {
                assert!(
                    matches!(result, Err(Rule::NotPossible { .. })),
                    "{kind:?} in {now:?}: {result:?}"
                );
                assert_eq!(record, before);
            }
        }
    }
}

#[test]
fn opp_045_no_type_beyond_its_limit_and_none_twice() {
    for kind in Kind::ALL.iter().copied() {
        let mut record = draft(minimal());
        for number in 1..=kind.limit() {
            associate(&mut record, kind, &identifier(kind, number, OWN))
                .expect("room")
                .expect("an event");
        }
        assert_eq!(
            associate(&mut record, kind, &identifier(kind, 1, OWN)),
            Ok(None),
            "{kind:?}"
        );
        let more = identifier(kind, kind.limit() + 1, OWN);
        assert_eq!(
            code(associate(&mut record, kind, &more)),
            ViolationCode::TooManyValues,
            "{kind:?}"
        );
        assert_eq!(disassociate(&mut record, kind, &more), Ok(None), "{kind:?}");
    }
}

#[test]
fn opp_046_solutions_are_active_ones_of_the_account_and_products_are_of_the_catalogue() {
    for kind in [Kind::Solutions, Kind::AwsProducts] {
        let unknown = identifier(kind, 99, OWN);
        assert_eq!(
            code(associate(&mut draft(minimal()), kind, &unknown)),
            ViolationCode::InvalidValue
        );
    }
    let mut details = minimal();
    details.related_entity_identifiers.solutions = vec!["S-1".to_owned(), "S-99".to_owned()];
    details.related_entity_identifiers.aws_products = vec!["Unknown".to_owned()];
    let id = cosell_types::OpportunityId::from_number(7).expect("an id");
    let account = OWN.parse().expect("an account");
    let made = Opportunity::create(id, account, member("creator"), details, &facts(), now());
    let Err(Rule::Invalid(found)) = made else {
        panic!("{made:?}")
    };
    let fields: Vec<_> = found.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "related_entity_identifiers.solutions[1]",
            "related_entity_identifiers.aws_products[0]"
        ]
    );
}

#[test]
fn opp_047_an_offer_or_an_offer_set_and_neither_at_submission() {
    let kinds = [Kind::AwsMarketplaceOffers, Kind::AwsMarketplaceOfferSets];
    for (one, other) in [(kinds[0], kinds[1]), (kinds[1], kinds[0])] {
        let mut record = draft(submittable());
        associate(&mut record, one, &identifier(one, 1, OWN)).expect("an offer");
        let refusal = code(associate(&mut record, other, &identifier(other, 1, OWN)));
        assert_eq!(refusal, ViolationCode::InvalidValue);
        let submit = |record: &mut Opportunity| {
            let by = member("creator");
            record.submit(&by, InvolvementType::CoSell, Visibility::Full, &facts(), now())
        };
        let Err(Rule::Invalid(found)) = submit(&mut record) else {
            panic!("it was submitted")
        };
        assert_eq!(found[0].field, one.path());
        disassociate(&mut record, one, &identifier(one, 1, OWN)).expect("no offer");
        submit(&mut record).expect("a submission");
        // Of another account's offers none, not even of a subsidiary.
        let theirs = identifier(one, 1, SUBSIDIARY);
        assert_eq!(
            code(associate(&mut draft(minimal()), one, &theirs)),
            ViolationCode::InvalidValue
        );
    }
}

#[test]
fn opp_048_entities_at_the_marketplace_are_of_the_account_or_a_subsidiary() {
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
fn opp_026_the_last_solution_stays_where_the_deal_needs_one() {
    for (stage, is_needed) in [
        (Stage::Qualified, true),
        (Stage::Committed, true),
        (Stage::ClosedLost, false),
    ] {
        let mut record = approved_in(stage);
        let removed = disassociate(&mut record, Kind::Solutions, "S-1");
        assert_eq!(removed.is_err(), is_needed, "{stage:?}: {removed:?}");
        if is_needed {
            assert_eq!(code(removed), ViolationCode::NotEnoughValues);
            associate(&mut record, Kind::Solutions, "S-2").expect("another one");
            disassociate(&mut record, Kind::Solutions, "S-1").expect("the first one");
        }
    }
    let mut draft = draft(submittable());
    disassociate(&mut draft, Kind::Solutions, "S-1").expect("a draft needs none");
}

#[test]
fn opp_037_a_clone_takes_no_offer_over_and_no_solution_that_is_gone() {
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
    /// What has the form of one type has it for that type only, and what does not is refused by each.
    #[test]
    fn opp_045_a_form_is_of_one_type(
        identifier in prop_oneof![
            (0..6_usize, 1..999_usize).prop_map(|(kind, number)| identifier(Kind::ALL[kind], number, OWN)),
            "arn:[a-z:0-9/A-Z-]{0,40}",
            "S-[0-9]{0,21}",
        ],
    ) {
        // A code can be any text.
        let kinds: Vec<_> = Kind::ALL
            .iter()
            .filter(|kind| **kind != Kind::AwsProducts && kind.fits(&identifier))
            .collect();
        proptest::prop_assert!(kinds.len() <= 1, "{identifier}: {kinds:?}");
    }
}
