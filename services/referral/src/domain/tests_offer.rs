//! Covers the state machine of offers: transitions, rejection reasons, reminder, expiry, and random sequences (REF-010,
//! REF-020, REF-021, REF-031). Provides builders for the other tests of this module.

use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{ClosedList as _, MemberId, OpportunityId, RejectionReason};
use proptest::prelude::*;

use super::values::{PayloadType, ReferralOfferState};
use super::{Calendar, LeadId, Offer, OfferAction, OfferEvent, Referral, Rule};

pub fn now() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().expect("a time")
}

pub fn member(id: &str) -> MemberId {
    id.parse().expect("a member")
}

pub fn referral(receivers: usize) -> Referral {
    let receivers = (0..receivers).map(|number| format!("1{number:011}").parse().expect("an account"));
    let created = Referral::create(
        "ref-0000000000000".parse().expect("an id"),
        "999999999999".parse().expect("an account"),
        member("mem-sales"),
        receivers.collect(),
        now(),
        now(),
    );
    created.expect("a referral").0
}

pub fn opportunity_offer() -> Offer {
    offer_of(PayloadType::OpportunityInvitation)
}

pub fn offer_of(kind: PayloadType) -> Offer {
    let referral = referral(1);
    let (offer, event) = Offer::create(
        "engi-0000000000000".parse().expect("an id"),
        referral.receivers()[0].clone(),
        &referral,
        kind,
        &Calendar::new([], 5),
        now(),
    );
    assert_eq!(event, OfferEvent::Offered);
    offer
}

fn opportunity() -> OpportunityId {
    OpportunityId::from_number(7).expect("an id")
}

pub fn lead_id() -> LeadId {
    "lead-0000000000000".parse().expect("an id")
}

/// An offer in the given state, and a time at which it is in that state.
pub fn offer_in_state(state: ReferralOfferState) -> (Offer, DateTime<Utc>) {
    let (mut offer, later) = (opportunity_offer(), now() + TimeDelta::hours(1));
    let by = member("mem-lead");
    match state {
        ReferralOfferState::Pending => {}
        ReferralOfferState::Accepted => {
            offer
                .accept(&by, opportunity(), lead_id(), later)
                .expect("an acceptance");
        }
        ReferralOfferState::Rejected => {
            let reason = RejectionReason::UnableToSupport;
            offer.reject(&by, reason, "".into(), later).expect("a rejection");
        }
        ReferralOfferState::Expired => {
            let end = offer.expire_time();
            assert_eq!(offer.remind_or_expire(end), Some(OfferEvent::Expired));
            return (offer, end);
        }
    }
    (offer, later)
}

/// Checks every cell of the transition table of REF-010.
#[test]
fn ref_010_offer_in_each_state_allows_only_listed_transitions() {
    let by = member("mem-other");
    for state in ReferralOfferState::ALL.iter().copied() {
        let (before, time) = offer_in_state(state);
        let later = time + TimeDelta::minutes(1);
        let is_open = state == ReferralOfferState::Pending;

        let mut offer = before.clone();
        let accepted = offer.accept(&by, opportunity(), lead_id(), later);
        if is_open {
            assert_eq!(accepted, Ok(OfferEvent::Accepted));
            assert_eq!(offer.state(), ReferralOfferState::Accepted);
            assert_eq!(offer.revision(), before.revision() + 1);
            assert_eq!(offer.opportunity(), Some(opportunity()));
        } else {
            let action = OfferAction::Accept;
            assert_eq!(accepted, Err(Rule::IllegalTransition { state, action }));
            assert_eq!(offer, before, "a refused call must not change the offer");
        }

        let mut offer = before.clone();
        let reason = RejectionReason::NextStepsUnclear;
        let rejected = offer.reject(&by, reason, "".into(), later);
        if is_open {
            assert_eq!(rejected, Ok(OfferEvent::Rejected));
            assert_eq!(offer.state(), ReferralOfferState::Rejected);
            assert!(!offer.is_content_visible());
        } else {
            let action = OfferAction::Reject;
            assert_eq!(rejected, Err(Rule::IllegalTransition { state, action }));
            assert_eq!(offer, before, "a refused call must not change the offer");
        }

        let mut offer = before.clone();
        let end = offer.expire_time();
        let expired = offer.remind_or_expire(end);
        assert_eq!(expired, is_open.then_some(OfferEvent::Expired), "{state:?}");
        if !is_open {
            assert_eq!(offer, before);
        }
    }
}

#[test]
fn ref_031_rejection_for_other_reason_requires_text() {
    for (reason, text, is_accepted) in [
        (RejectionReason::Other, "", false),
        (RejectionReason::Other, "  ", false),
        (RejectionReason::Other, "We know them too well", true),
        (RejectionReason::RenewalOpportunity, "", true),
    ] {
        let mut offer = opportunity_offer();
        let rejected = offer.reject(&member("mem-lead"), reason, text.into(), now());
        assert_eq!(rejected.is_ok(), is_accepted, "{reason:?} {text:?}");
        if let Err(Rule::Invalid(violations)) = rejected {
            assert_eq!(violations[0].field, "text");
        }
    }
}

#[test]
fn ref_020_021_offer_is_reminded_once_and_expires_at_its_deadline() {
    let mut offer = opportunity_offer();
    let (remind, end) = (offer.due_time(), offer.expire_time());
    assert_eq!(remind, end - TimeDelta::days(1));
    assert_eq!(offer.remind_or_expire(remind - TimeDelta::seconds(1)), None);
    assert_eq!(offer.remind_or_expire(remind), Some(OfferEvent::ExpiresSoon));
    assert_eq!(
        offer.remind_or_expire(remind),
        None,
        "the reminder must be sent once"
    );
    assert_eq!(
        (offer.state(), offer.due_time()),
        (ReferralOfferState::Pending, end)
    );
    let last = end - TimeDelta::microseconds(1);
    assert_eq!(offer.state_at(last), ReferralOfferState::Pending);
    assert_eq!(
        offer.state_at(end),
        ReferralOfferState::Expired,
        "an offer must count as expired before the expiry is recorded"
    );
    assert!(offer.is_content_visible_at(last));
    assert!(
        !offer.is_content_visible_at(end),
        "the content must be hidden before the expiry is recorded"
    );
    let refused = offer
        .clone()
        .accept(&member("mem-lead"), opportunity(), lead_id(), end);
    let (state, action) = (ReferralOfferState::Expired, OfferAction::Accept);
    assert_eq!(refused, Err(Rule::IllegalTransition { state, action }));
    // A service that was down past the expiry expires the offer and sends no reminder.
    assert_eq!(
        opportunity_offer().remind_or_expire(end + TimeDelta::days(30)),
        Some(OfferEvent::Expired)
    );
}

proptest! {
    /// For any sequence of actions: an offer reaches a final state at most once, and each change increments the
    /// revision.
    #[test]
    fn ref_010_offer_reaches_one_final_state_in_any_action_sequence(
        steps in prop::collection::vec((0_u8..3, 0_i64..20), 1..12)
    ) {
        let mut offer = opportunity_offer();
        let (mut time, mut ends, mut changes) = (now(), 0, 1);
        for (step, days) in steps {
            time += TimeDelta::days(days);
            let event = match step {
                0 => offer.accept(&member("mem-lead"), opportunity(), lead_id(), time).ok(),
                1 => offer
                    .reject(&member("mem-lead"), RejectionReason::UnableToSupport, "".into(), time)
                    .ok(),
                _ => offer.remind_or_expire(time),
            };
            changes += i64::from(event.is_some());
            ends += u32::from(matches!(event, Some(OfferEvent::Accepted | OfferEvent::Rejected | OfferEvent::Expired)));
            prop_assert_eq!(offer.revision(), changes);
            prop_assert!(ends <= 1);
            prop_assert_eq!(ends == 1, offer.state() != ReferralOfferState::Pending);
            prop_assert_eq!(offer.opportunity().is_some(), offer.state() == ReferralOfferState::Accepted);
        }
    }
}
