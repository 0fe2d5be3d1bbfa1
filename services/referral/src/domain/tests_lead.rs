use chrono::TimeDelta;
use cosell_types::{
    ClosedList as _, FieldPath, Member, OpportunityId, Pii, Role, Side, Violation, ViolationCode,
};
use proptest::prelude::*;

use super::access::{may_own_leads, sees, sees_all_leads};
use super::tests_offer::{lead_id, member, now, offer_of};
use super::values::{LeadState, PayloadType};
use super::{Customer, Lead, LeadEvent, Rule};

fn opportunity() -> OpportunityId {
    OpportunityId::from_number(9).expect("an id")
}

fn lead(interactions: usize) -> Lead {
    let mut offer = offer_of(PayloadType::LeadInvitation);
    assert_eq!(Lead::accepted(&offer, interactions), None, "not accepted yet");
    offer
        .accept(&member("mem-lead"), opportunity(), lead_id(), now())
        .expect("an acceptance");
    let (lead, event) = Lead::accepted(&offer, interactions).expect("a lead");
    assert_eq!(event, LeadEvent::Accepted);
    lead
}

fn words(state: LeadState) -> Pii<String> {
    match state {
        LeadState::Other => "Wants to be called in May".into(),
        _ => Pii::default(),
    }
}

fn in_state(state: LeadState) -> Lead {
    let mut lead = lead(1);
    let set = lead.set_state(state, &words(state), now()).expect("a state");
    assert_eq!(set.is_none(), state == LeadState::Unqualified);
    lead
}

#[test]
fn ref_050_a_lead_comes_of_an_offer_of_one_and_belongs_to_who_accepted_it() {
    let lead = lead(3);
    assert_eq!(
        (lead.state(), lead.revision(), lead.owner(), lead.opportunity()),
        (LeadState::Unqualified, 1, &member("mem-lead"), None)
    );
    let mut deal = offer_of(PayloadType::OpportunityInvitation);
    deal.accept(&member("mem-lead"), opportunity(), lead_id(), now())
        .expect("an acceptance");
    assert_eq!(Lead::accepted(&deal, 1), None);
    assert_eq!((deal.opportunity(), deal.lead()), (Some(opportunity()), None));
}

/// Every state, open and converted, with every action.
#[test]
fn ref_053_054_every_state_and_every_action() {
    let later = now() + TimeDelta::hours(1);
    for from in LeadState::ALL.iter().copied() {
        for to in LeadState::ALL.iter().copied() {
            let before = in_state(from);
            let mut lead = before.clone();
            let set = lead.set_state(to, &words(to), later);
            if from == to {
                assert_eq!(set, Ok(None), "{from:?}");
                assert_eq!(lead, before);
            } else {
                assert_eq!(set, Ok(Some(LeadEvent::StateChanged)), "{from:?} to {to:?}");
                assert_eq!((lead.state(), lead.custom_state()), (to, &words(to)));
                assert_eq!(
                    (lead.revision(), lead.update_time()),
                    (before.revision() + 1, later)
                );
            }
        }
        let before = in_state(from);

        let mut lead = before.clone();
        assert_eq!(lead.add_interaction(later), Ok(LeadEvent::InteractionAdded));
        assert_eq!((lead.state(), lead.revision()), (from, before.revision() + 1));

        let mut lead = before.clone();
        assert_eq!(
            lead.assign(&member("mem-lead"), later),
            Ok(None),
            "has it already"
        );
        assert_eq!(lead, before);
        let given = LeadEvent::Assigned {
            from: member("mem-lead"),
        };
        assert_eq!(lead.assign(&member("mem-user"), later), Ok(Some(given)));
        assert_eq!((lead.owner(), lead.state()), (&member("mem-user"), from));

        let mut lead = before.clone();
        let converted = lead.convert(&member("mem-user"), opportunity(), later);
        if from == LeadState::Disqualified {
            assert_eq!(converted, Err(Rule::Disqualified));
            assert_eq!(lead, before, "a refused call changes nothing");
            continue;
        }
        let by = member("mem-user");
        assert_eq!(converted, Ok(LeadEvent::Converted { by: by.clone() }));
        assert_eq!(
            (lead.state(), lead.opportunity(), lead.custom_state().is_empty()),
            (LeadState::Qualified, Some(opportunity()), true)
        );
        assert_eq!(lead.owner(), &member("mem-lead"), "who converts owns the record");

        // After that nothing changes any more.
        let before = lead.clone();
        let over = Rule::Converted(opportunity());
        for to in LeadState::ALL.iter().copied() {
            assert_eq!(lead.set_state(to, &words(to), later), Err(over.clone()));
        }
        assert_eq!(lead.add_interaction(later), Err(over.clone()));
        assert_eq!(lead.assign(&by, later), Err(over.clone()));
        assert_eq!(lead.convert(&by, opportunity(), later), Err(over));
        assert_eq!(lead, before);
    }
}

#[test]
fn ref_053_words_go_with_another_state_and_with_no_other() {
    for (state, text, expected) in [
        (LeadState::Other, "", Some(ViolationCode::RequiredFieldMissing)),
        (LeadState::Other, "  ", Some(ViolationCode::RequiredFieldMissing)),
        (LeadState::Other, " Call in May ", None),
        (
            LeadState::Qualified,
            "Call in May",
            Some(ViolationCode::InvalidValue),
        ),
        (LeadState::Qualified, " ", None),
    ] {
        let (mut lead, before) = (lead(1), lead(1));
        match lead.set_state(state, &text.into(), now()) {
            Ok(_) => assert_eq!(expected, None, "{state:?} {text:?}"),
            Err(Rule::Invalid(found)) => {
                assert_eq!(
                    (found[0].field.as_str(), Some(found[0].code)),
                    ("custom_state", expected)
                );
                assert_eq!(lead, before);
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    let mut lead = in_state(LeadState::Other);
    let other = lead.set_state(LeadState::Other, &"Something else".into(), now());
    assert_eq!(
        other,
        Ok(Some(LeadEvent::StateChanged)),
        "other words are a change"
    );
}

#[test]
fn ref_052_a_lead_has_ten_interactions_at_most() {
    let mut lead = lead(9);
    assert!(lead.add_interaction(now()).is_ok());
    let before = lead.clone();
    let Err(Rule::Invalid(found)) = lead.add_interaction(now()) else {
        panic!("an eleventh")
    };
    assert_eq!(
        (found[0].field.as_str(), found[0].code),
        ("interaction", ViolationCode::TooManyValues)
    );
    assert_eq!(lead, before);
}

#[test]
fn ref_050_054_what_is_known_is_of_lists_and_conversion_needs_industry_and_country() {
    let root = FieldPath::root();
    let customer = |industry: &str, country: &str| Customer {
        industry: industry.to_owned(),
        country: country.to_owned(),
        market_segment: String::new(),
        aws_maturity: String::new(),
    };
    let mut known = Customer {
        market_segment: "micro".to_owned(),
        aws_maturity: "multi – account".to_owned(),
        ..customer("retail", "de")
    };
    assert_eq!(known.settle(&root), []);
    let kept = Customer {
        market_segment: "Micro".to_owned(),
        aws_maturity: "Multi-Account".to_owned(),
        ..customer("Retail", "DE")
    };
    assert_eq!(known, kept);
    assert_eq!(customer("", "").settle(&root), [], "it need not be known");
    let mut wrong = Customer {
        market_segment: "Gigantic".to_owned(),
        aws_maturity: "Curious".to_owned(),
        ..customer("Witchcraft", "XX")
    };
    let fields = |found: Vec<Violation>| found.into_iter().map(|wrong| wrong.field).collect::<Vec<_>>();
    assert_eq!(
        fields(wrong.settle(&root)),
        [
            "industry",
            "address.country_code",
            "market_segment",
            "aws_maturity"
        ]
    );

    let complete = |mut known: Customer, industry, country| fields(known.complete(industry, country));
    assert_eq!(complete(customer("Retail", "DE"), "", ""), [""; 0]);
    assert_eq!(complete(customer("", ""), "retail", "de"), [""; 0]);
    assert_eq!(complete(customer("", ""), "", ""), ["industry", "country_code"]);
    assert_eq!(
        complete(customer("Retail", "DE"), "Witchcraft", "XX"),
        ["industry", "country_code"]
    );
}

/// Every role, for a lead of its own and for one of somebody else.
#[test]
fn ref_055_056_who_sees_leads_and_who_can_have_them() {
    let lead = lead(1);
    for role in Role::ALL
        .iter()
        .copied()
        .filter(|role| role.side() == Side::Partner)
    {
        let one = |id: &str, account: &str| Member {
            id: member(id),
            account: account.parse().expect("an account"),
            side: Side::Partner,
            roles: vec![role],
        };
        let account = lead.account().as_str();
        let all = [
            Role::AllianceLead,
            Role::AllianceTeam,
            Role::AceManager,
            Role::MarketingStaff,
        ]
        .contains(&role);
        assert_eq!(sees_all_leads(&one("mem-other", account)), all, "{role}");
        assert_eq!(sees(&one("mem-other", account), &lead), all, "{role}");
        assert!(sees(&one("mem-lead", account), &lead), "{role}");
        assert!(!sees(&one("mem-lead", "888888888888"), &lead), "{role}");
        let takes = [
            Role::AllianceLead,
            Role::AllianceTeam,
            Role::AceManager,
            Role::AceUser,
        ]
        .contains(&role);
        assert_eq!(may_own_leads(&one("mem-other", account)), takes, "{role}");
    }
}

proptest! {
    /// Whatever comes in whatever order, an opportunity is made at most once, and each change counts.
    #[test]
    fn ref_054_whatever_comes_one_opportunity_is_made(steps in prop::collection::vec((0_u8..5, 0_usize..4), 1..24)) {
        let mut lead = lead(1);
        let (mut made, mut changes, mut interactions) = (Vec::new(), 1, 1);
        for (step, which) in steps {
            let state = LeadState::ALL[which];
            let before = lead.clone();
            let event = match step {
                0 | 1 => lead.set_state(state, &words(state), now()).ok().flatten(),
                2 => lead.add_interaction(now()).ok(),
                3 => lead.assign(&member(&format!("mem-{which}")), now()).ok().flatten(),
                _ => lead.convert(&member("mem-lead"), opportunity(), now()).ok(),
            };
            changes += i64::from(event.is_some());
            interactions += usize::from(event == Some(LeadEvent::InteractionAdded));
            if let Some(LeadEvent::Converted { .. }) = event {
                made.push(lead.opportunity());
            }
            if event.is_none() {
                prop_assert_eq!(&lead, &before);
            }
            prop_assert_eq!(lead.revision(), changes);
            prop_assert!(interactions <= 10 && made.len() <= 1);
            prop_assert_eq!(made.len() == 1, lead.opportunity().is_some());
            prop_assert_eq!(lead.custom_state().is_empty(), lead.state() != LeadState::Other);
            prop_assert!(lead.opportunity().is_none() || lead.state() == LeadState::Qualified);
        }
    }
}
