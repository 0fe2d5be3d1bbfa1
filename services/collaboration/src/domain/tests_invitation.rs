use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId, ParticipantType, RejectionReason};
use proptest::prelude::*;

use super::values::EngagementInvitationState;
use super::{Invitation, InvitationEvent, Rule, Sending};

pub const DAYS: u32 = 15;

pub fn now() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().expect("a time")
}

pub fn account(number: u64) -> AccountId {
    format!("1{number:011}").parse().expect("an account")
}

pub fn member(id: &str) -> MemberId {
    id.parse().expect("a member")
}

pub fn opportunity(number: i64) -> OpportunityId {
    OpportunityId::from_number(number).expect("an id")
}

/// An invitation of the company 0 to another one.
pub fn invitation(number: usize, receiver: AccountId, time: DateTime<Utc>) -> Invitation {
    let (invitation, event) = Invitation::send(
        Sending {
            id: format!("engi-a{number:012}").parse().expect("an id"),
            engagement: "eng-a0000000000000".parse().expect("an id"),
            sender: account(0),
            by: member("mem-sender"),
            receiver,
            alias: "Them".into(),
            source: opportunity(7),
        },
        DAYS,
        time,
    );
    assert_eq!(event, InvitationEvent::Created);
    invitation
}

/// What can happen to an invitation.
#[derive(Clone, Copy, Debug)]
enum Step {
    Accept,
    Reject,
    Cancel,
    TakeBack,
    Expire,
}

const STEPS: [Step; 5] = [
    Step::Accept,
    Step::Reject,
    Step::Cancel,
    Step::TakeBack,
    Step::Expire,
];

/// Does it at this time; what happened, or what is refused. The end of its time is never refused.
fn take(
    invitation: &mut Invitation,
    step: Step,
    time: DateTime<Utc>,
) -> Result<Option<InvitationEvent>, Rule> {
    let by = member("mem-receiver");
    match step {
        Step::Accept => invitation.accept(&by, opportunity(8), time).map(Some),
        Step::Reject => {
            let reason = RejectionReason::UnableToSupport;
            invitation.reject(&by, reason, "No people".into(), time).map(Some)
        }
        Step::Cancel => invitation.cancel(Some(&member("mem-sender")), time).map(Some),
        Step::TakeBack => invitation.cancel(None, time).map(Some),
        Step::Expire => Ok(invitation.expire(time)),
    }
}

/// An invitation in a state, and a moment when it is in it.
fn in_state(state: EngagementInvitationState) -> (Invitation, DateTime<Utc>) {
    let mut invitation = invitation(1, account(1), now());
    let later = now() + TimeDelta::hours(1);
    let (step, time) = match state {
        EngagementInvitationState::Pending => return (invitation, later),
        EngagementInvitationState::Accepted => (Step::Accept, later),
        EngagementInvitationState::Rejected => (Step::Reject, later),
        EngagementInvitationState::Canceled => (Step::Cancel, later),
        EngagementInvitationState::Expired => (Step::Expire, invitation.expire_time()),
    };
    let happened = take(&mut invitation, step, time);
    assert!(matches!(happened, Ok(Some(_))), "{happened:?}");
    (invitation, time)
}

/// Every cell of the table of COL-010.
#[test]
fn col_010_invitations_move_as_the_table_says_and_in_no_other_way() {
    for state in EngagementInvitationState::ALL.iter().copied() {
        for step in STEPS {
            let (before, time) = in_state(state);
            assert_eq!((before.state(), before.state_at(time)), (state, state));
            let mut invitation = before.clone();
            let time = match step {
                Step::Expire => invitation.expire_time(),
                _ => time + TimeDelta::minutes(1),
            };
            let happened = take(&mut invitation, step, time);
            let (event, ends, action) = match step {
                Step::Accept => (
                    InvitationEvent::Accepted,
                    EngagementInvitationState::Accepted,
                    "ACCEPT",
                ),
                Step::Reject => (
                    InvitationEvent::Rejected,
                    EngagementInvitationState::Rejected,
                    "REJECT",
                ),
                Step::Cancel | Step::TakeBack => (
                    InvitationEvent::Canceled,
                    EngagementInvitationState::Canceled,
                    "CANCEL",
                ),
                Step::Expire => (InvitationEvent::Expired, EngagementInvitationState::Expired, ""),
            };
            if state == EngagementInvitationState::Pending {
                assert_eq!(happened, Ok(Some(event)), "{step:?}");
                assert_eq!(
                    (
                        invitation.state(),
                        invitation.revision(),
                        invitation.update_time()
                    ),
                    (ends, 2, time)
                );
                assert_eq!(invitation.answer().is_some(), !matches!(step, Step::Expire));
                continue;
            }
            assert_eq!(
                invitation, before,
                "a refused call changes nothing: {state:?} {step:?}"
            );
            let expected = match step {
                Step::Expire => Ok(None),
                _ => Err(Rule::IllegalTransition {
                    state: state.name(),
                    action,
                }),
            };
            assert_eq!(happened, expected, "{state:?} {step:?}");
        }
    }
}

#[test]
fn col_010_over_is_over_at_once_also_before_it_was_noted() {
    let sent = invitation(1, account(1), now());
    let end = now() + TimeDelta::days(15);
    assert_eq!(sent.expire_time(), end);
    let last = end - TimeDelta::microseconds(1);
    assert_eq!(sent.state_at(last), EngagementInvitationState::Pending);
    assert_eq!(sent.clone().expire(last), None);
    assert_eq!(sent.state_at(end), EngagementInvitationState::Expired);
    for step in [Step::Accept, Step::Reject, Step::Cancel, Step::TakeBack] {
        let mut late = sent.clone();
        let refused = take(&mut late, step, end);
        assert!(
            matches!(refused, Err(Rule::IllegalTransition { state: "EXPIRED", .. })),
            "{step:?}: {refused:?}"
        );
        assert_eq!(late, sent);
    }
}

/// What is offered is there while it waits and once it was accepted, and at no other time.
#[test]
fn col_012_what_is_shown_in_each_state() {
    for state in EngagementInvitationState::ALL.iter().copied() {
        let (invitation, time) = in_state(state);
        let is_shown = matches!(
            state,
            EngagementInvitationState::Pending | EngagementInvitationState::Accepted
        );
        assert_eq!(invitation.is_shown(time), is_shown, "{state:?}");
        let is_kept = state == EngagementInvitationState::Accepted;
        assert_eq!(
            invitation.is_shown(invitation.expire_time()),
            is_kept,
            "{state:?}"
        );
    }
}

#[test]
fn col_013_another_reason_says_which() {
    for reason in RejectionReason::ALL.iter().copied() {
        for (text, is_said) in [("", false), ("  ", false), ("We know them too well", true)] {
            let before = invitation(1, account(1), now());
            let mut rejected = before.clone();
            let answer = rejected.reject(&member("mem-receiver"), reason, text.into(), now());
            let is_taken = is_said || reason != RejectionReason::Other;
            assert_eq!(answer.is_ok(), is_taken, "{reason:?} {text:?}");
            if let Err(Rule::Invalid(found)) = answer {
                assert_eq!(found[0].field, "text");
                assert_eq!(rejected, before);
            } else {
                let answer = rejected.answer().expect("an answer");
                assert_eq!(
                    (answer.reason, answer.by.as_ref()),
                    (Some(reason), Some(&member("mem-receiver")))
                );
            }
        }
    }
}

#[test]
fn col_014_what_the_platform_takes_back_is_nobodys_doing() {
    let mut taken = invitation(1, account(1), now());
    assert_eq!(taken.cancel(None, now()), Ok(InvitationEvent::Canceled));
    assert_eq!(taken.answer().map(|answer| answer.by.clone()), Some(None));
}

#[test]
fn col_011_an_invitation_is_of_two_companies() {
    let invitation = invitation(1, account(1), now());
    for (who, expected) in [
        (account(0), Some(ParticipantType::Sender)),
        (account(1), Some(ParticipantType::Receiver)),
        (account(2), None),
    ] {
        assert_eq!(invitation.participant(&who), expected);
    }
}

proptest! {
    /// Whatever comes in whatever order, an invitation ends at most once, and each change counts.
    #[test]
    fn col_010_whatever_comes_one_end_is_the_end(
        steps in prop::collection::vec((0_usize..STEPS.len(), 0_i64..20), 1..12)
    ) {
        let mut invitation = invitation(1, account(1), now());
        let (mut time, mut changes) = (now(), 1);
        for (step, days) in steps {
            time += TimeDelta::days(days);
            let before = invitation.clone();
            match take(&mut invitation, STEPS[step], time) {
                Ok(Some(_)) => {
                    changes += 1;
                    prop_assert_eq!(before.state(), EngagementInvitationState::Pending);
                    prop_assert_ne!(invitation.state(), EngagementInvitationState::Pending);
                }
                Ok(None) | Err(_) => prop_assert_eq!(&invitation, &before),
            }
            prop_assert!(changes <= 2);
            prop_assert_eq!(invitation.revision(), changes);
            prop_assert_eq!(invitation.opportunity().is_some(), invitation.state() == EngagementInvitationState::Accepted);
        }
    }
}
