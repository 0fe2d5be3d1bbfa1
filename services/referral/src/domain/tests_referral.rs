use chrono::TimeDelta;

use super::tests_offer::{in_state, member, now, referral};
use super::values::{ReferralOfferState, ReferralState};
use super::{Ineligible, Receiver, Referral, ReferralEvent, Rule};

#[test]
fn ref_002_a_deal_is_offered_once_the_customer_has_agreed() {
    let create = |consent| {
        Referral::create(
            "ref-0000000000000".parse().expect("an id"),
            "999999999999".parse().expect("an account"),
            member("mem-sales"),
            vec!["100000000000".parse().expect("an account")],
            consent,
            now(),
        )
    };
    assert!(create(now()).is_ok());
    let refused = create(now() + TimeDelta::seconds(1));
    let Err(Rule::Invalid(found)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(found[0].field, "referral.customer_consent_time");
}

#[test]
fn ref_001_deals_are_offered_to_active_partners_that_accepted_the_terms_and_came_far_enough() {
    let partner = Receiver {
        is_partner: true,
        is_active: true,
        terms_accepted: true,
        tier: 2,
    };
    let cases = [
        (partner.clone(), Ok(())),
        (Receiver::default(), Err(Ineligible::NotActive)),
        (
            Receiver {
                is_partner: false,
                ..partner.clone()
            },
            Err(Ineligible::NotActive),
        ),
        (
            Receiver {
                is_active: false,
                ..partner.clone()
            },
            Err(Ineligible::NotActive),
        ),
        (
            Receiver {
                terms_accepted: false,
                ..partner.clone()
            },
            Err(Ineligible::TermsNotAccepted),
        ),
        (Receiver { tier: 1, ..partner }, Err(Ineligible::Tier)),
    ];
    for (receiver, expected) in cases {
        assert_eq!(receiver.require_eligible(2), expected, "{receiver:?}");
    }
}

/// Every way in which an offer ends, with and without somebody who waits.
#[test]
fn ref_011_a_deal_is_handed_on_until_somebody_takes_it_or_nobody_is_left() {
    for state in [
        ReferralOfferState::Accepted,
        ReferralOfferState::Rejected,
        ReferralOfferState::Expired,
    ] {
        let (ended, time) = in_state(state);
        for next in [None, Some(0), Some(1)] {
            let mut referral = referral(3);
            assert_eq!(referral.waiting().len(), 2);
            let event = referral.offer_ended(&ended, next, time);
            let (expected, after, waiting) = match (state, next) {
                (ReferralOfferState::Accepted, _) => (ReferralEvent::Accepted, ReferralState::Accepted, 2),
                (_, Some(next)) => (ReferralEvent::Routed, ReferralState::Offered, 1 - next),
                (_, None) => (ReferralEvent::Exhausted, ReferralState::Exhausted, 0),
            };
            assert_eq!(event, Some(expected), "{state:?} {next:?}");
            assert_eq!((referral.state(), referral.waiting().len()), (after, waiting));
            assert_eq!(referral.revision(), 2);
            if after != ReferralState::Offered {
                let before = referral.clone();
                assert_eq!(referral.offer_ended(&ended, next, time), None, "once");
                assert_eq!(referral, before);
            }
        }
    }
}
