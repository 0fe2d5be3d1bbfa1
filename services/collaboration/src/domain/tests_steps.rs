//! Covers the steps that the channel worker takes at the provider: order, expiry of invitations, retries, concurrent
//! archival, and random sequences (CHN-010, CHN-011, CHN-020).

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::tests_channel::{
    LINK, approve, aws_member_ref, channel_in_state, member_ref, record_creation, requested_channel,
};
use super::tests_invitation::{member, now};
use super::values::{ChannelMemberState, ChannelProvider, ChannelState};
use super::{Channel, ChannelEvent, ChannelEventKind, ChannelStep, StepFailure};

#[test]
fn chn_011_invitations_expire_after_fourteen_days_oldest_first() {
    let mut channel = channel_in_state(ChannelState::Active);
    let (first, second) = (member_ref("mem-sender"), aws_member_ref("mem-sales"));
    channel.member_invited(&second, None, now());
    channel.member_invited(&first, None, now() + TimeDelta::hours(1));
    let end = now() + TimeDelta::days(14);
    assert_eq!(
        channel.next_step(),
        Some((ChannelStep::Expire(second.clone()), end))
    );
    channel.member_expired(&second, end);
    let end = end + TimeDelta::hours(1);
    assert_eq!(
        channel.next_step(),
        Some((ChannelStep::Expire(first.clone()), end))
    );
    channel.member_joined(&first, None, now() + TimeDelta::days(2));
    assert_eq!(channel.next_step(), None, "no invitation must be pending");
    // A repeated invitation is valid for another fourteen days.
    channel
        .add_members(vec![second.clone()], end)
        .expect("an open channel");
    channel.member_invited(&second, None, end);
    let end = end + TimeDelta::days(14);
    assert_eq!(channel.next_step(), Some((ChannelStep::Expire(second), end)));
}

/// The step that is due at the given time.
fn due_step(channel: &Channel, time: DateTime<Utc>) -> Option<ChannelStep> {
    let next = channel.next_step().filter(|(_, due_time)| *due_time <= time);
    next.map(|(step, _)| step)
}

#[test]
fn chn_020_steps_are_due_in_order_until_done() {
    let mut channel = requested_channel(ChannelProvider::Slack);
    assert_eq!(
        channel.next_step(),
        None,
        "an undecided channel must have no step"
    );
    let later = now() + TimeDelta::hours(1);
    approve(&mut channel, later).expect("a decision");
    assert_eq!(due_step(&channel, later), Some(ChannelStep::Create));
    record_creation(&mut channel);
    assert_eq!(channel.link().reveal(), LINK);
    assert_eq!(due_step(&channel, later), Some(ChannelStep::PostWelcomeMessage));
    channel.welcome_message_posted(later);
    let (sender, sales) = (member_ref("mem-sender"), aws_member_ref("mem-sales"));
    assert_eq!(
        due_step(&channel, later),
        Some(ChannelStep::Invite(sender.clone(), false))
    );
    // The outcome of a step that was claimed and not completed is unknown, so it is repeated and marked as a retry.
    assert!(channel.claim_step(&ChannelStep::Invite(sender.clone(), false), later));
    let later = later + TimeDelta::seconds(90);
    assert_eq!(
        due_step(&channel, later - TimeDelta::seconds(1)),
        None,
        "a claimed step must not be due"
    );
    assert_eq!(
        due_step(&channel, later),
        Some(ChannelStep::Invite(sender.clone(), true))
    );
    channel.member_invited(&sender, None, later);
    assert_eq!(
        due_step(&channel, later),
        Some(ChannelStep::Invite(sales.clone(), false))
    );
    channel.member_invited(&sales, None, later);
    channel.member_joined(&sender, Some("U0001"), later);
    channel.member_left(&sender, false, later);
    assert_eq!(
        due_step(&channel, later),
        Some(ChannelStep::Remove(sender.clone(), "U0001".to_owned()))
    );
    channel.member_removed(&sender);
    assert!(matches!(channel.next_step(), Some((ChannelStep::Expire(expiring), _)) if expiring == sales));
    channel.archive(later).expect("an archived channel");
    assert_eq!(due_step(&channel, later), Some(ChannelStep::Archive));
    channel.archived_at_provider();
    assert_eq!(channel.next_step(), None);
}

#[test]
fn chn_020_channel_without_provider_channel_needs_no_archival() {
    for state in [ChannelState::Requested, ChannelState::Approved] {
        let mut channel = channel_in_state(state);
        channel.archive(now()).expect("an archived channel");
        assert_eq!(channel.next_step(), None, "{state:?}");
    }
    let mut channel = requested_channel(ChannelProvider::Manual);
    approve(&mut channel, now()).expect("a decision");
    channel.archive(now()).expect("an archived channel");
    assert_eq!(
        channel.next_step(),
        None,
        "a manual channel must need no archival"
    );
}

/// While a step is in flight, the channel is archived, or another worker claims the same step.
#[test]
fn chn_010_020_step_in_flight_during_archival_does_not_reactivate_channel() {
    let later = now() + TimeDelta::minutes(1);
    let mut channel = channel_in_state(ChannelState::Approved);
    assert!(channel.claim_step(&ChannelStep::Create, now()));
    assert!(
        !channel.claim_step(&ChannelStep::Create, later),
        "a claimed step must not be claimed again"
    );
    let crashed = later + TimeDelta::minutes(1);
    assert!(
        channel.clone().claim_step(&ChannelStep::Create, crashed),
        "a step must be claimable after its claim has expired"
    );
    // The channel is archived before the outcome of its creation is known, so it is found and archived at the provider.
    channel.archive(later).expect("an archived channel");
    assert_eq!(due_step(&channel, later), Some(ChannelStep::Create));
    record_creation(&mut channel);
    assert_eq!(due_step(&channel, later), Some(ChannelStep::Archive));

    let mut channel = channel_in_state(ChannelState::Approved);
    record_creation(&mut channel);
    assert!(channel.claim_step(&ChannelStep::PostWelcomeMessage, now()));
    channel.archive(later).expect("an archived channel");
    assert_eq!(channel.welcome_message_posted(later), None);
    assert_eq!(channel.state(), ChannelState::Archived);
    assert_eq!(due_step(&channel, later), Some(ChannelStep::Archive));

    let mut channel = channel_in_state(ChannelState::Active);
    assert_eq!(
        channel.welcome_message_posted(later),
        None,
        "an active channel must not be activated again"
    );
    let sender = member_ref("mem-sender");
    assert!(channel.claim_step(&ChannelStep::Invite(sender.clone(), false), now()));
    channel.archive(later).expect("an archived channel");
    assert_eq!(channel.member_invited(&sender, None, later), None);
    assert_eq!(channel.member_expired(&sender, later), None);
    assert_eq!(channel.member_left(&sender, false, later), None);
    assert_eq!(channel.state(), ChannelState::Archived);
}

#[test]
fn chn_020_failed_removal_does_not_block_invitations() {
    let mut channel = channel_in_state(ChannelState::Active);
    let (sender, sales) = (member_ref("mem-sender"), aws_member_ref("mem-sales"));
    channel.member_joined(&sender, Some("U0001"), now());
    channel.member_left(&sender, false, now());
    let remove = ChannelStep::Remove(sender.clone(), "U0001".to_owned());
    assert!(channel.claim_step(&remove, now()));
    channel.member_removal_refused(&sender, "restricted_action");
    assert_eq!(channel.last_failure(), Some("restricted_action"));
    assert_eq!(
        due_step(&channel, now()),
        Some(ChannelStep::Invite(sales.clone(), false))
    );
    // A member that is already in the channel is recorded as joined.
    assert!(channel.claim_step(&ChannelStep::Invite(sales.clone(), false), now()));
    let event = channel
        .member_already_present(&sales, Some("U0002"), now())
        .expect("a joined member");
    assert_eq!(event.kind, ChannelEventKind::MemberJoined(sales));
    assert_eq!((channel.next_step(), channel.last_failure()), (None, None));
}

#[test]
fn chn_020_failed_step_is_retried_after_pause() {
    let later = now() + TimeDelta::hours(1);
    for (failure, pause) in [
        (StepFailure::Transient(None), TimeDelta::seconds(30)),
        (
            StepFailure::Transient(Some(TimeDelta::seconds(7))),
            TimeDelta::seconds(7),
        ),
        (StepFailure::Refused, TimeDelta::minutes(5)),
    ] {
        let mut channel = channel_in_state(ChannelState::Approved);
        let revision = channel.revision();
        channel.step_failed("unavailable", &failure, later);
        assert_eq!(channel.next_step(), Some((ChannelStep::Create, later + pause)));
        assert_eq!(channel.last_failure(), Some("unavailable"));
        assert_eq!(
            channel.revision(),
            revision,
            "a failed step must not publish an event"
        );
        record_creation(&mut channel);
        assert_eq!(channel.last_failure(), None);
        assert_eq!(due_step(&channel, now()), Some(ChannelStep::PostWelcomeMessage));
    }
}

/// Applies one step of a random sequence to one of four members.
fn apply_step(
    channel: &mut Channel,
    in_flight: &mut Vec<ChannelStep>,
    (step, number): (u8, u8),
    time: DateTime<Utc>,
) -> Vec<ChannelEvent> {
    let member_ref = match number {
        0 => member_ref("mem-sender"),
        1 => aws_member_ref("mem-sales"),
        other => aws_member_ref(&format!("mem-{other}")),
    };
    match step {
        0 => approve(channel, time).unwrap_or_default(),
        1 => {
            let declined = channel.decline(&member("mem-owner"), "No".into(), time);
            declined.into_iter().collect()
        }
        2 => channel.archive(time).into_iter().collect(),
        3 => channel
            .add_members(vec![member_ref], time)
            .unwrap_or_default()
            .into_iter()
            .collect(),
        4 => channel
            .member_joined(&member_ref, Some("U0001"), time)
            .into_iter()
            .collect(),
        5 => channel
            .member_left(&member_ref, false, time)
            .into_iter()
            .collect(),
        6 => channel.member_left(&member_ref, true, time).into_iter().collect(),
        7 => channel.member_opted_out(&member_ref, time).into_iter().collect(),
        8 => {
            channel.step_failed("unavailable", &StepFailure::Transient(None), time);
            Vec::new()
        }
        // A worker claims the next step and completes it later.
        9..=11 => {
            if let Some((step, due_time)) = channel.next_step() {
                let time = time.max(due_time);
                if channel.claim_step(&step, time) {
                    in_flight.push(step);
                }
            }
            Vec::new()
        }
        _ if in_flight.is_empty() => Vec::new(),
        _ => match in_flight.remove(0) {
            ChannelStep::Create => {
                record_creation(channel);
                Vec::new()
            }
            ChannelStep::PostWelcomeMessage => channel.welcome_message_posted(time).into_iter().collect(),
            ChannelStep::Invite(member_ref, _) => channel
                .member_invited(&member_ref, None, time)
                .into_iter()
                .collect(),
            ChannelStep::Remove(member_ref, _) => {
                channel.member_removed(&member_ref);
                Vec::new()
            }
            ChannelStep::Archive => {
                channel.archived_at_provider();
                Vec::new()
            }
            ChannelStep::Expire(member_ref) => {
                channel.member_expired(&member_ref, time).into_iter().collect()
            }
        },
    }
}

proptest! {
    /// For any sequence of steps: event revisions have no gaps, a closed channel stays closed, each member is in it
    /// once, and the worker terminates.
    #[test]
    fn chn_010_011_020_channel_invariants_hold_for_any_sequence(
        is_manual in any::<bool>(),
        steps in prop::collection::vec((0_u8..16, 0_u8..4), 1..60)
    ) {
        let provider = if is_manual { ChannelProvider::Manual } else { ChannelProvider::Slack };
        let mut channel = requested_channel(provider);
        let (mut time, mut in_flight) = (now(), Vec::new());
        for (step, number) in steps {
            time += TimeDelta::minutes(1);
            let before = channel.clone();
            let events = apply_step(&mut channel, &mut in_flight, (step, number), time);
            for (at, event) in (1_i64..).zip(&events) {
                prop_assert_eq!(event.revision, before.revision() + at);
            }
            prop_assert_eq!(channel.revision(), before.revision() + i64::try_from(events.len()).expect("a count"));
            if let Some(last) = events.last() {
                prop_assert_eq!(last.state, channel.state());
            }
            prop_assert!(!before.is_closed() || channel.state() == before.state());
            let distinct: BTreeSet<_> = channel.members().iter().map(|member| &member.member_ref).collect();
            prop_assert_eq!(distinct.len(), channel.members().len(), "each member must be in the channel once");
            prop_assert!(channel.state() != ChannelState::Active || !channel.link().is_empty());
            for member in channel.members() {
                prop_assert!(member.state != ChannelMemberState::Invited || member.invite_time.is_some());
                prop_assert!(!member.is_removal_pending || member.state == ChannelMemberState::Left);
            }
        }
        for remaining in (0..20).rev() {
            if channel.next_step().is_none() && in_flight.is_empty() {
                break;
            }
            prop_assert!(remaining > 0, "the worker did not terminate: {:?}", channel.next_step());
            apply_step(&mut channel, &mut in_flight, (9, 0), time);
            while !in_flight.is_empty() {
                apply_step(&mut channel, &mut in_flight, (15, 0), time);
            }
        }
        let is_archived = is_manual || channel.state() != ChannelState::Archived || channel.external_id().is_none();
        prop_assert!(
            is_archived || channel.is_archived_at_provider,
            "the channel must be archived at the provider, too"
        );
    }
}
