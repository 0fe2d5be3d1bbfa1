//! Covers referrals: customer consent, eligibility of receivers, and routing to the next receiver (REF-001, REF-002,
//! REF-011).

use chrono::TimeDelta;
use cosell_types::ViolationCode;

use super::tests_offer::{member, now, offer_in_state, referral};
use super::values::{ReferralOfferState, ReferralState};
use super::{ConsentTime, Ineligible, Receiver, Referral, ReferralEvent, Rule};

#[test]
fn ref_002_referral_with_future_customer_consent_is_refused() {
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
    let Err(Rule::Invalid(violations)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(violations[0].field, "referral.customer_consent_time");
}

#[test]
fn ref_002_each_invalid_consent_time_has_a_violation_of_its_own() {
    for (consent, code, text) in [
        (
            ConsentTime::Unset,
            ViolationCode::RequiredFieldMissing,
            "Is required: AWS refers a customer only after the customer has consented.",
        ),
        (
            ConsentTime::Unrepresentable,
            ViolationCode::InvalidValue,
            "Must be a valid timestamp in the years 1 to 9999.",
        ),
        (
            ConsentTime::At(now() + TimeDelta::seconds(1)),
            ViolationCode::ValueOutOfRange,
            "Must not be in the future: AWS refers a customer only after the customer has consented.",
        ),
    ] {
        let violations = Referral::check_consent(&consent, now());
        assert_eq!(violations.len(), 1, "{consent:?}");
        assert_eq!(
            (violations[0].code, violations[0].description.as_str()),
            (code, text)
        );
    }
    assert_eq!(Referral::check_consent(&ConsentTime::At(now()), now()), []);
}

#[test]
fn ref_001_receiver_must_be_active_partner_with_terms_and_tier() {
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

/// Combines every final state of an offer with every possible next receiver.
#[test]
fn ref_011_referral_is_routed_until_accepted_or_exhausted() {
    for state in [
        ReferralOfferState::Accepted,
        ReferralOfferState::Rejected,
        ReferralOfferState::Expired,
    ] {
        let (closed_offer, time) = offer_in_state(state);
        for next in [None, Some(0), Some(1)] {
            let mut referral = referral(3);
            assert_eq!(referral.remaining_receivers().len(), 2);
            let event = referral.apply_closed_offer(&closed_offer, next, time);
            let (expected, after, waiting) = match (state, next) {
                (ReferralOfferState::Accepted, _) => (ReferralEvent::Accepted, ReferralState::Accepted, 2),
                (_, Some(next)) => (ReferralEvent::Routed, ReferralState::Offered, 1 - next),
                (_, None) => (ReferralEvent::Exhausted, ReferralState::Exhausted, 0),
            };
            assert_eq!(event, Some(expected), "{state:?} {next:?}");
            assert_eq!(
                (referral.state(), referral.remaining_receivers().len()),
                (after, waiting)
            );
            assert_eq!(referral.revision(), 2);
            if after != ReferralState::Offered {
                let before = referral.clone();
                assert_eq!(
                    referral.apply_closed_offer(&closed_offer, next, time),
                    None,
                    "a closed referral must not change"
                );
                assert_eq!(referral, before);
            }
        }
    }
}
