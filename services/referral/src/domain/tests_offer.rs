use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{ClosedList as _, MemberId, OpportunityId, RejectionReason};
use proptest::prelude::*;

use super::values::{PayloadType, ReferralOfferState};
use super::{Action, Calendar, Event, LeadId, Offer, Referral, Rule};

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

pub fn offer() -> Offer {
    offer_of(PayloadType::OpportunityInvitation)
}

pub fn offer_of(kind: PayloadType) -> Offer {
    let referral = referral(1);
    let (offer, event) = Offer::make(
        "engi-0000000000000".parse().expect("an id"),
        referral.receivers()[0].clone(),
        &referral,
        kind,
        &Calendar::new([], 5),
        now(),
    );
    assert_eq!(event, Event::Offered);
    offer
}

fn opportunity() -> OpportunityId {
    OpportunityId::from_number(7).expect("an id")
}

pub fn lead_id() -> LeadId {
    "lead-0000000000000".parse().expect("an id")
}

/// An offer in a state, and a moment when it is in it.
pub fn in_state(state: ReferralOfferState) -> (Offer, DateTime<Utc>) {
    let (mut offer, later) = (offer(), now() + TimeDelta::hours(1));
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
            assert_eq!(offer.come_due(end), Some(Event::Expired));
            return (offer, end);
        }
    }
    (offer, later)
}

/// Every cell of the table of REF-010.
#[test]
fn ref_010_offers_move_as_the_table_says_and_in_no_other_way() {
    let by = member("mem-other");
    for state in ReferralOfferState::ALL.iter().copied() {
        let (before, time) = in_state(state);
        let later = time + TimeDelta::minutes(1);
        let is_open = state == ReferralOfferState::Pending;

        let mut offer = before.clone();
        let accepted = offer.accept(&by, opportunity(), lead_id(), later);
        if is_open {
            assert_eq!(accepted, Ok(Event::Accepted));
            assert_eq!(offer.state(), ReferralOfferState::Accepted);
            assert_eq!(offer.revision(), before.revision() + 1);
            assert_eq!(offer.opportunity(), Some(opportunity()));
        } else {
            let action = Action::Accept;
            assert_eq!(accepted, Err(Rule::IllegalTransition { state, action }));
            assert_eq!(offer, before, "a refused call changes nothing");
        }

        let mut offer = before.clone();
        let reason = RejectionReason::NextStepsUnclear;
        let rejected = offer.reject(&by, reason, "".into(), later);
        if is_open {
            assert_eq!(rejected, Ok(Event::Rejected));
            assert_eq!(offer.state(), ReferralOfferState::Rejected);
            assert!(!offer.is_shown());
        } else {
            let action = Action::Reject;
            assert_eq!(rejected, Err(Rule::IllegalTransition { state, action }));
            assert_eq!(offer, before, "a refused call changes nothing");
        }

        let mut offer = before.clone();
        let end = offer.expire_time();
        let ended = offer.come_due(end);
        assert_eq!(ended, is_open.then_some(Event::Expired), "{state:?}");
        if !is_open {
            assert_eq!(offer, before);
        }
    }
}

#[test]
fn ref_031_another_reason_says_which() {
    for (reason, text, is_taken) in [
        (RejectionReason::Other, "", false),
        (RejectionReason::Other, "  ", false),
        (RejectionReason::Other, "We know them too well", true),
        (RejectionReason::RenewalOpportunity, "", true),
    ] {
        let mut offer = offer();
        let rejected = offer.reject(&member("mem-lead"), reason, text.into(), now());
        assert_eq!(rejected.is_ok(), is_taken, "{reason:?} {text:?}");
        if let Err(Rule::Invalid(found)) = rejected {
            assert_eq!(found[0].field, "text");
        }
    }
}

#[test]
fn ref_020_021_an_offer_is_reminded_of_once_and_is_over_at_its_end() {
    let mut offer = offer();
    let (remind, end) = (offer.due_time(), offer.expire_time());
    assert_eq!(remind, end - TimeDelta::days(1));
    assert_eq!(offer.come_due(remind - TimeDelta::seconds(1)), None);
    assert_eq!(offer.come_due(remind), Some(Event::ExpiresSoon));
    assert_eq!(offer.come_due(remind), None, "once");
    assert_eq!(
        (offer.state(), offer.due_time()),
        (ReferralOfferState::Pending, end)
    );
    let last = end - TimeDelta::microseconds(1);
    assert_eq!(offer.state_at(last), ReferralOfferState::Pending);
    assert_eq!(
        offer.state_at(end),
        ReferralOfferState::Expired,
        "also before it was noted"
    );
    let refused = offer
        .clone()
        .accept(&member("mem-lead"), opportunity(), lead_id(), end);
    let (state, action) = (ReferralOfferState::Expired, Action::Accept);
    assert_eq!(refused, Err(Rule::IllegalTransition { state, action }));
    // After a long stop there is nothing to be reminded of any more.
    assert_eq!(
        self::offer().come_due(end + TimeDelta::days(30)),
        Some(Event::Expired)
    );
}

proptest! {
    /// Whatever comes in whatever order, an offer ends at most once, and each change counts.
    #[test]
    fn ref_010_whatever_comes_one_end_is_the_end(steps in prop::collection::vec((0_u8..3, 0_i64..20), 1..12)) {
        let mut offer = offer();
        let (mut time, mut ends, mut changes) = (now(), 0, 1);
        for (step, days) in steps {
            time += TimeDelta::days(days);
            let event = match step {
                0 => offer.accept(&member("mem-lead"), opportunity(), lead_id(), time).ok(),
                1 => offer
                    .reject(&member("mem-lead"), RejectionReason::UnableToSupport, "".into(), time)
                    .ok(),
                _ => offer.come_due(time),
            };
            changes += i64::from(event.is_some());
            ends += u32::from(matches!(event, Some(Event::Accepted | Event::Rejected | Event::Expired)));
            prop_assert_eq!(offer.revision(), changes);
            prop_assert!(ends <= 1);
            prop_assert_eq!(ends == 1, offer.state() != ReferralOfferState::Pending);
            prop_assert_eq!(offer.opportunity().is_some(), offer.state() == ReferralOfferState::Accepted);
        }
    }
}
