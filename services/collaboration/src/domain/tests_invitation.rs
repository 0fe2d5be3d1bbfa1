//! Covers engagement invitations: transitions, expiry, visibility of details, rejection reasons, participants, and
//! random sequences (COL-010 to COL-014). Provides builders for the other tests of this module.

use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId, ParticipantType, RejectionReason};
use proptest::prelude::*;

use super::values::EngagementInvitationState;
use super::{Invitation, InvitationEvent, NewInvitation, Rule};

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

/// An invitation from account 0 to another account.
pub fn invitation(number: usize, receiver: AccountId, time: DateTime<Utc>) -> Invitation {
    let (invitation, event) = Invitation::send(
        NewInvitation {
            id: format!("engi-a{number:012}").parse().expect("an id"),
            engagement: "eng-a0000000000000".parse().expect("an id"),
            sender: account(0),
            sent_by: member("mem-sender"),
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

/// An action on an invitation.
#[derive(Clone, Copy, Debug)]
enum Step {
    Accept,
    Reject,
    Cancel,
    PlatformCancel,
    Expire,
}

const STEPS: [Step; 5] = [
    Step::Accept,
    Step::Reject,
    Step::Cancel,
    Step::PlatformCancel,
    Step::Expire,
];

/// Applies an action at the given time. Expiry is never refused.
fn apply_step(
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
        Step::PlatformCancel => invitation.cancel(None, time).map(Some),
        Step::Expire => Ok(invitation.expire(time)),
    }
}

/// An invitation in the given state, and a time at which it is in that state.
fn invitation_in_state(state: EngagementInvitationState) -> (Invitation, DateTime<Utc>) {
    let mut invitation = invitation(1, account(1), now());
    let later = now() + TimeDelta::hours(1);
    let (step, time) = match state {
        EngagementInvitationState::Pending => return (invitation, later),
        EngagementInvitationState::Accepted => (Step::Accept, later),
        EngagementInvitationState::Rejected => (Step::Reject, later),
        EngagementInvitationState::Canceled => (Step::Cancel, later),
        EngagementInvitationState::Expired => (Step::Expire, invitation.expire_time()),
    };
    let outcome = apply_step(&mut invitation, step, time);
    assert!(matches!(outcome, Ok(Some(_))), "{outcome:?}");
    (invitation, time)
}

/// Checks every cell of the transition table of COL-010.
#[test]
fn col_010_invitation_in_each_state_allows_only_listed_transitions() {
    for state in EngagementInvitationState::ALL.iter().copied() {
        for step in STEPS {
            let (before, time) = invitation_in_state(state);
            assert_eq!((before.state(), before.state_at(time)), (state, state));
            let mut invitation = before.clone();
            let time = match step {
                Step::Expire => invitation.expire_time(),
                _ => time + TimeDelta::minutes(1),
            };
            let outcome = apply_step(&mut invitation, step, time);
            let (event, final_state, action) = match step {
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
                Step::Cancel | Step::PlatformCancel => (
                    InvitationEvent::Canceled,
                    EngagementInvitationState::Canceled,
                    "CANCEL",
                ),
                Step::Expire => (InvitationEvent::Expired, EngagementInvitationState::Expired, ""),
            };
            if state == EngagementInvitationState::Pending {
                assert_eq!(outcome, Ok(Some(event)), "{step:?}");
                assert_eq!(
                    (
                        invitation.state(),
                        invitation.revision(),
                        invitation.update_time()
                    ),
                    (final_state, 2, time)
                );
                assert_eq!(invitation.answer().is_some(), !matches!(step, Step::Expire));
                continue;
            }
            assert_eq!(
                invitation, before,
                "a refused call must not change the invitation: {state:?} {step:?}"
            );
            let expected = match step {
                Step::Expire => Ok(None),
                _ => Err(Rule::IllegalTransition {
                    state: state.name(),
                    action,
                }),
            };
            assert_eq!(outcome, expected, "{state:?} {step:?}");
        }
    }
}

#[test]
fn col_010_invitation_expires_before_expiry_is_recorded() {
    let sent = invitation(1, account(1), now());
    let end = now() + TimeDelta::days(15);
    assert_eq!(sent.expire_time(), end);
    let last = end - TimeDelta::microseconds(1);
    assert_eq!(sent.state_at(last), EngagementInvitationState::Pending);
    assert_eq!(sent.clone().expire(last), None);
    assert_eq!(sent.state_at(end), EngagementInvitationState::Expired);
    for step in [Step::Accept, Step::Reject, Step::Cancel, Step::PlatformCancel] {
        let mut late = sent.clone();
        let refused = apply_step(&mut late, step, end);
        assert!(
            matches!(refused, Err(Rule::IllegalTransition { state: "EXPIRED", .. })),
            "{step:?}: {refused:?}"
        );
        assert_eq!(late, sent);
    }
}

#[test]
fn col_012_details_are_shown_only_while_pending_or_accepted() {
    for state in EngagementInvitationState::ALL.iter().copied() {
        let (invitation, time) = invitation_in_state(state);
        let has_readable_content = matches!(
            state,
            EngagementInvitationState::Pending | EngagementInvitationState::Accepted
        );
        assert_eq!(
            invitation.has_readable_content(time),
            has_readable_content,
            "{state:?}"
        );
        let stays_shown = state == EngagementInvitationState::Accepted;
        assert_eq!(
            invitation.has_readable_content(invitation.expire_time()),
            stays_shown,
            "{state:?}"
        );
    }
}

#[test]
fn col_013_rejection_for_other_reason_requires_text() {
    for reason in RejectionReason::ALL.iter().copied() {
        for (text, has_text) in [("", false), ("  ", false), ("We know them too well", true)] {
            let before = invitation(1, account(1), now());
            let mut rejected = before.clone();
            let answer = rejected.reject(&member("mem-receiver"), reason, text.into(), now());
            let is_accepted = has_text || reason != RejectionReason::Other;
            assert_eq!(answer.is_ok(), is_accepted, "{reason:?} {text:?}");
            if let Err(Rule::Invalid(violations)) = answer {
                assert_eq!(violations[0].field, "text");
                assert_eq!(rejected, before);
            } else {
                let answer = rejected.answer().expect("a response");
                assert_eq!(
                    (answer.reason, answer.by.as_ref()),
                    (Some(reason), Some(&member("mem-receiver")))
                );
            }
        }
    }
}

#[test]
fn col_014_platform_cancellation_has_no_acting_member() {
    let mut canceled = invitation(1, account(1), now());
    assert_eq!(canceled.cancel(None, now()), Ok(InvitationEvent::Canceled));
    assert_eq!(canceled.answer().map(|answer| answer.by.clone()), Some(None));
}

#[test]
fn col_011_invitation_has_one_sender_and_one_receiver() {
    let invitation = invitation(1, account(1), now());
    for (account, expected) in [
        (account(0), Some(ParticipantType::Sender)),
        (account(1), Some(ParticipantType::Receiver)),
        (account(2), None),
    ] {
        assert_eq!(invitation.participant_type(&account), expected);
    }
}

proptest! {
    /// For any sequence of actions: an invitation reaches a final state at most once, and each change increments the
    /// revision.
    #[test]
    fn col_010_invitation_reaches_one_final_state_in_any_sequence(
        steps in prop::collection::vec((0_usize..STEPS.len(), 0_i64..20), 1..12)
    ) {
        let mut invitation = invitation(1, account(1), now());
        let (mut time, mut changes) = (now(), 1);
        for (step, days) in steps {
            time += TimeDelta::days(days);
            let before = invitation.clone();
            match apply_step(&mut invitation, STEPS[step], time) {
                Ok(Some(_)) => {
                    changes += 1;
                    prop_assert_eq!(before.state(), EngagementInvitationState::Pending);
                    prop_assert_ne!(invitation.state(), EngagementInvitationState::Pending);
                }
                Ok(None) | Err(_) => prop_assert_eq!(&invitation, &before),
            }
            prop_assert!(changes <= 2);
            prop_assert_eq!(invitation.revision(), changes);
            let is_accepted = invitation.state() == EngagementInvitationState::Accepted;
            prop_assert_eq!(invitation.opportunity().is_some(), is_accepted);
        }
    }
}
