//! Covers leads: creation from an accepted offer, states, touch points, assignment, conversion, reference values, and
//! visibility by role (REF-050 to REF-056).

use chrono::TimeDelta;
use cosell_types::{
    ClosedList as _, FieldPath, Member, OpportunityId, Pii, Role, Side, Violation, ViolationCode,
};
use proptest::prelude::*;

use super::access::{can_own_leads, can_view_lead};
use super::tests_offer::{lead_id, member, now, offer_of};
use super::values::{LeadState, PayloadType};
use super::{Customer, Lead, LeadEvent, Rule};

fn opportunity() -> OpportunityId {
    OpportunityId::from_number(9).expect("an id")
}

fn new_lead(interactions: usize) -> Lead {
    let mut offer = offer_of(PayloadType::LeadInvitation);
    assert_eq!(
        Lead::accepted(&offer, interactions),
        None,
        "a pending offer must not create a lead"
    );
    offer
        .accept(&member("mem-lead"), opportunity(), lead_id(), now())
        .expect("an acceptance");
    let (lead, event) = Lead::accepted(&offer, interactions).expect("a lead");
    assert_eq!(event, LeadEvent::Accepted);
    lead
}

fn custom_state_for(state: LeadState) -> Pii<String> {
    match state {
        LeadState::Other => "Wants to be called in May".into(),
        _ => Pii::default(),
    }
}

fn lead_in_state(state: LeadState) -> Lead {
    let mut lead = new_lead(1);
    let set = lead
        .set_state(state, &custom_state_for(state), now())
        .expect("a state");
    assert_eq!(set.is_none(), state == LeadState::Unqualified);
    lead
}

#[test]
fn ref_050_accepted_lead_offer_creates_lead_owned_by_acceptor() {
    let lead = new_lead(3);
    assert_eq!(
        (lead.state(), lead.revision(), lead.owner(), lead.opportunity()),
        (LeadState::Unqualified, 1, &member("mem-lead"), None)
    );
    let mut opportunity_offer = offer_of(PayloadType::OpportunityInvitation);
    opportunity_offer
        .accept(&member("mem-lead"), opportunity(), lead_id(), now())
        .expect("an acceptance");
    assert_eq!(Lead::accepted(&opportunity_offer, 1), None);
    assert_eq!(
        (opportunity_offer.opportunity(), opportunity_offer.lead()),
        (Some(opportunity()), None)
    );
}

/// Applies every action in every state, before and after conversion.
#[test]
fn ref_053_054_lead_in_each_state_allows_only_listed_actions() {
    let later = now() + TimeDelta::hours(1);
    for from in LeadState::ALL.iter().copied() {
        for to in LeadState::ALL.iter().copied() {
            let before = lead_in_state(from);
            let mut lead = before.clone();
            let set = lead.set_state(to, &custom_state_for(to), later);
            if from == to {
                assert_eq!(set, Ok(None), "{from:?}");
                assert_eq!(lead, before);
            } else {
                assert_eq!(set, Ok(Some(LeadEvent::StateChanged)), "{from:?} to {to:?}");
                assert_eq!((lead.state(), lead.custom_state()), (to, &custom_state_for(to)));
                assert_eq!(
                    (lead.revision(), lead.update_time()),
                    (before.revision() + 1, later)
                );
            }
        }
        let before = lead_in_state(from);

        let mut lead = before.clone();
        assert_eq!(lead.add_interaction(later), Ok(LeadEvent::InteractionAdded));
        assert_eq!((lead.state(), lead.revision()), (from, before.revision() + 1));

        let mut lead = before.clone();
        assert_eq!(
            lead.assign(&member("mem-lead"), later),
            Ok(None),
            "assigning the current owner must not change the lead"
        );
        assert_eq!(lead, before);
        let assigned = LeadEvent::Assigned {
            from: member("mem-lead"),
        };
        assert_eq!(lead.assign(&member("mem-user"), later), Ok(Some(assigned)));
        assert_eq!((lead.owner(), lead.state()), (&member("mem-user"), from));

        let mut lead = before.clone();
        let converted = lead.convert(&member("mem-user"), opportunity(), later);
        if from == LeadState::Disqualified {
            assert_eq!(converted, Err(Rule::Disqualified));
            assert_eq!(lead, before, "a refused conversion must not change the lead");
            continue;
        }
        let by = member("mem-user");
        assert_eq!(converted, Ok(LeadEvent::Converted { by: by.clone() }));
        assert_eq!(
            (lead.state(), lead.opportunity(), lead.custom_state().is_empty()),
            (LeadState::Qualified, Some(opportunity()), true)
        );
        assert_eq!(
            lead.owner(),
            &member("mem-lead"),
            "conversion must not change the owner of the lead"
        );

        // A converted lead accepts no further changes.
        let before = lead.clone();
        let refused = Rule::Converted(opportunity());
        for to in LeadState::ALL.iter().copied() {
            assert_eq!(
                lead.set_state(to, &custom_state_for(to), later),
                Err(refused.clone())
            );
        }
        assert_eq!(lead.add_interaction(later), Err(refused.clone()));
        assert_eq!(lead.assign(&by, later), Err(refused.clone()));
        assert_eq!(lead.convert(&by, opportunity(), later), Err(refused));
        assert_eq!(lead, before);
    }
}

#[test]
fn ref_053_custom_state_is_required_for_other_and_refused_elsewhere() {
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
        let (mut lead, before) = (new_lead(1), new_lead(1));
        match lead.set_state(state, &text.into(), now()) {
            Ok(_) => assert_eq!(expected, None, "{state:?} {text:?}"),
            Err(Rule::Invalid(violations)) => {
                assert_eq!(
                    (violations[0].field.as_str(), Some(violations[0].code)),
                    ("custom_state", expected)
                );
                assert_eq!(lead, before);
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    let mut lead = lead_in_state(LeadState::Other);
    let other = lead.set_state(LeadState::Other, &"Something else".into(), now());
    assert_eq!(
        other,
        Ok(Some(LeadEvent::StateChanged)),
        "a different custom state must be a change"
    );
}

#[test]
fn ref_052_lead_has_at_most_ten_interactions() {
    let mut lead = new_lead(9);
    assert!(lead.add_interaction(now()).is_ok());
    let before = lead.clone();
    let Err(Rule::Invalid(violations)) = lead.add_interaction(now()) else {
        panic!("an eleventh interaction was accepted")
    };
    assert_eq!(
        (violations[0].field.as_str(), violations[0].code),
        ("interaction", ViolationCode::TooManyValues)
    );
    assert_eq!(lead, before);
}

#[test]
fn ref_050_054_customer_uses_listed_values_and_conversion_needs_industry() {
    let root = FieldPath::root();
    let customer = |industry: &str, country: &str| Customer {
        industry: industry.to_owned(),
        country: country.to_owned(),
        market_segment: String::new(),
        aws_maturity: String::new(),
    };
    let mut customer_details = Customer {
        market_segment: "micro".to_owned(),
        aws_maturity: "multi – account".to_owned(),
        ..customer("retail", "de")
    };
    assert_eq!(customer_details.normalize(&root), []);
    let normalized = Customer {
        market_segment: "Micro".to_owned(),
        aws_maturity: "Multi-Account".to_owned(),
        ..customer("Retail", "DE")
    };
    assert_eq!(customer_details, normalized);
    assert_eq!(
        customer("", "").normalize(&root),
        [],
        "industry and country are optional"
    );
    let mut invalid = Customer {
        market_segment: "Gigantic".to_owned(),
        aws_maturity: "Curious".to_owned(),
        ..customer("Witchcraft", "XX")
    };
    let fields = |violations: Vec<Violation>| {
        violations
            .into_iter()
            .map(|violation| violation.field)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        fields(invalid.normalize(&root)),
        [
            "industry",
            "address.country_code",
            "market_segment",
            "aws_maturity"
        ]
    );

    let complete = |mut customer: Customer, industry, country| fields(customer.complete(industry, country));
    assert_eq!(complete(customer("Retail", "DE"), "", ""), [""; 0]);
    assert_eq!(complete(customer("", ""), "retail", "de"), [""; 0]);
    assert_eq!(complete(customer("", ""), "", ""), ["industry", "country_code"]);
    assert_eq!(
        complete(customer("Retail", "DE"), "Witchcraft", "XX"),
        ["industry", "country_code"]
    );
}

/// Checks every partner role on a lead that the member owns and on one that another member owns, and marketing staff
/// also with the operator's option that it sees all.
#[test]
fn acc_013_ref_055_056_lead_visibility_and_ownership_depend_on_role() {
    let lead = new_lead(1);
    let roles = Role::ALL
        .iter()
        .copied()
        .filter(|role| role.side() == Side::Partner);
    for (role, sees_all_opportunities) in roles
        .map(|role| (role, false))
        .chain([(Role::MarketingStaff, true)])
    {
        let member_of = |id: &str, account: &str| Member {
            id: member(id),
            account: account.parse().expect("an account"),
            side: Side::Partner,
            roles: vec![role],
            sees_all_opportunities,
        };
        let account = lead.account().as_str();
        let sees_all = sees_all_opportunities
            || [Role::AllianceLead, Role::AllianceTeam, Role::AceManager].contains(&role);
        assert_eq!(
            member_of("mem-other", account).sees_whole_pipeline(),
            sees_all,
            "{role}"
        );
        assert_eq!(
            can_view_lead(&member_of("mem-other", account), &lead),
            sees_all,
            "{role}"
        );
        assert!(can_view_lead(&member_of("mem-lead", account), &lead), "{role}");
        assert!(
            !can_view_lead(&member_of("mem-lead", "888888888888"), &lead),
            "{role}"
        );
        let may_own = [
            Role::AllianceLead,
            Role::AllianceTeam,
            Role::AceManager,
            Role::AceUser,
        ]
        .contains(&role);
        assert_eq!(can_own_leads(&member_of("mem-other", account)), may_own, "{role}");
    }
}

proptest! {
    /// For any sequence of actions: at most one conversion succeeds, and each change increments the revision by one.
    #[test]
    fn ref_054_lead_is_converted_at_most_once_in_any_action_sequence(
        steps in prop::collection::vec((0_u8..5, 0_usize..4), 1..24)
    ) {
        let mut lead = new_lead(1);
        let (mut conversions, mut changes, mut interactions) = (Vec::new(), 1, 1);
        for (step, choice) in steps {
            let state = LeadState::ALL[choice];
            let before = lead.clone();
            let event = match step {
                0 | 1 => lead.set_state(state, &custom_state_for(state), now()).ok().flatten(),
                2 => lead.add_interaction(now()).ok(),
                3 => lead.assign(&member(&format!("mem-{choice}")), now()).ok().flatten(),
                _ => lead.convert(&member("mem-lead"), opportunity(), now()).ok(),
            };
            changes += i64::from(event.is_some());
            interactions += usize::from(event == Some(LeadEvent::InteractionAdded));
            if let Some(LeadEvent::Converted { .. }) = event {
                conversions.push(lead.opportunity());
            }
            if event.is_none() {
                prop_assert_eq!(&lead, &before);
            }
            prop_assert_eq!(lead.revision(), changes);
            prop_assert!(interactions <= 10 && conversions.len() <= 1);
            prop_assert_eq!(conversions.len() == 1, lead.opportunity().is_some());
            prop_assert_eq!(lead.custom_state().is_empty(), lead.state() != LeadState::Other);
            prop_assert!(lead.opportunity().is_none() || lead.state() == LeadState::Qualified);
        }
    }
}
