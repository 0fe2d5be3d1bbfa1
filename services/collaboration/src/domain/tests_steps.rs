use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::tests_channel::{LINK, approve, in_state, made, of_aws, person, requested};
use super::tests_invitation::{member, now};
use super::values::{ChannelMemberState, ChannelProvider, ChannelState};
use super::{Channel, ChannelEvent, Hindrance, Step};

#[test]
fn chn_011_an_invitation_holds_for_fourteen_days_and_the_oldest_ends_first() {
    let mut channel = in_state(ChannelState::Active);
    let (first, second) = (person("mem-sender"), of_aws("mem-sales"));
    channel.invited(&second, None, now());
    channel.invited(&first, None, now() + TimeDelta::hours(1));
    let end = now() + TimeDelta::days(14);
    assert_eq!(channel.next(), Some((Step::Expire(second.clone()), end)));
    channel.expired(&second, end);
    let end = end + TimeDelta::hours(1);
    assert_eq!(channel.next(), Some((Step::Expire(first.clone()), end)));
    channel.joined(&first, None, now() + TimeDelta::days(2));
    assert_eq!(channel.next(), None, "nobody is waited for");
    // Somebody is asked again: fourteen days anew.
    channel.add(vec![second.clone()], end).expect("it is open");
    channel.invited(&second, None, end);
    let end = end + TimeDelta::days(14);
    assert_eq!(channel.next(), Some((Step::Expire(second), end)));
}

#[test]
fn chn_020_one_thing_after_the_other_until_all_is_done() {
    let mut channel = requested(ChannelProvider::Slack);
    assert_eq!(channel.next(), None, "nobody has decided");
    let later = now() + TimeDelta::hours(1);
    approve(&mut channel, later).expect("a decision");
    assert_eq!(channel.next(), Some((Step::Create, later)));
    made(&mut channel);
    assert_eq!(channel.link().reveal(), LINK);
    assert_eq!(channel.next(), Some((Step::Greet, later)));
    channel.greeted(later);
    let (sender, sales) = (person("mem-sender"), of_aws("mem-sales"));
    assert_eq!(channel.next(), Some((Step::Invite(sender.clone(), false), later)));
    // Whether that was done nobody knows: it is done again, and the provider told so.
    channel.tries(&sender);
    assert_eq!(channel.next(), Some((Step::Invite(sender.clone(), true), later)));
    channel.invited(&sender, None, later);
    assert_eq!(channel.next(), Some((Step::Invite(sales.clone(), false), later)));
    channel.invited(&sales, None, later);
    channel.joined(&sender, Some("U0001"), later);
    channel.left(&sender, false, later);
    assert_eq!(
        channel.next(),
        Some((Step::Remove(sender.clone(), "U0001".to_owned()), later))
    );
    channel.removed(&sender);
    assert!(matches!(channel.next(), Some((Step::Expire(who), _)) if who == sales));
    channel.archive(later).expect("an end");
    assert_eq!(channel.next(), Some((Step::Archive, later)));
    channel.put_away();
    assert_eq!(channel.next(), None);
}

#[test]
fn chn_020_what_was_never_made_is_not_put_away() {
    for state in [ChannelState::Requested, ChannelState::Approved] {
        let mut channel = in_state(state);
        channel.archive(now()).expect("an end");
        assert_eq!(channel.next(), None, "{state:?}");
    }
    let mut channel = requested(ChannelProvider::Manual);
    approve(&mut channel, now()).expect("a decision");
    channel.archive(now()).expect("an end");
    assert_eq!(channel.next(), None, "by hand");
}

#[test]
fn chn_020_what_cannot_be_done_is_done_later() {
    let later = now() + TimeDelta::hours(1);
    for (hindrance, pause) in [
        (Hindrance::Later(None), TimeDelta::seconds(30)),
        (
            Hindrance::Later(Some(TimeDelta::seconds(7))),
            TimeDelta::seconds(7),
        ),
        (Hindrance::Refused, TimeDelta::minutes(5)),
    ] {
        let mut channel = in_state(ChannelState::Approved);
        let revision = channel.revision();
        channel.failed("unavailable", &hindrance, later);
        assert_eq!(channel.next(), Some((Step::Create, later + pause)));
        assert_eq!(channel.last_failure(), Some("unavailable"));
        assert_eq!(channel.revision(), revision, "nobody is told");
        made(&mut channel);
        assert_eq!(channel.last_failure(), None);
        assert_eq!(channel.next(), Some((Step::Greet, now())));
    }
}

/// A step of a random sequence, about one of these people.
fn happen(channel: &mut Channel, step: u8, number: u8, time: DateTime<Utc>) -> Vec<ChannelEvent> {
    let who = match number {
        0 => person("mem-sender"),
        1 => of_aws("mem-sales"),
        other => of_aws(&format!("mem-{other}")),
    };
    match step {
        0 => approve(channel, time).unwrap_or_default(),
        1 => {
            let declined = channel.decline(&member("mem-owner"), "No".into(), time);
            declined.into_iter().collect()
        }
        2 => channel.archive(time).into_iter().collect(),
        3 => channel
            .add(vec![who], time)
            .unwrap_or_default()
            .into_iter()
            .collect(),
        4 => channel.joined(&who, Some("U0001"), time).into_iter().collect(),
        5 => channel.left(&who, false, time).into_iter().collect(),
        6 => channel.left(&who, true, time).into_iter().collect(),
        7 => channel.opted_out(&who, time).into_iter().collect(),
        8 => {
            channel.failed("unavailable", &Hindrance::Later(None), time);
            Vec::new()
        }
        // The worker does what is next.
        _ => match channel.next() {
            None => Vec::new(),
            Some((Step::Create, _)) => {
                made(channel);
                Vec::new()
            }
            Some((Step::Greet, _)) => vec![channel.greeted(time)],
            Some((Step::Invite(who, _), _)) => {
                channel.tries(&who);
                channel.invited(&who, None, time).into_iter().collect()
            }
            Some((Step::Remove(who, _), _)) => {
                channel.removed(&who);
                Vec::new()
            }
            Some((Step::Archive, _)) => {
                channel.put_away();
                Vec::new()
            }
            Some((Step::Expire(who), _)) => channel.expired(&who, time).into_iter().collect(),
        },
    }
}

proptest! {
    /// Whatever comes in whatever order: what is told has the numbers 1, 2, 3 … without holes, what is over stays over,
    /// each person is in it once, and the worker comes to an end.
    #[test]
    fn chn_010_011_020_whatever_comes_a_channel_holds_together(
        by_hand in any::<bool>(),
        steps in prop::collection::vec((0_u8..16, 0_u8..4), 1..60)
    ) {
        let provider = if by_hand { ChannelProvider::Manual } else { ChannelProvider::Slack };
        let mut channel = requested(provider);
        let mut time = now();
        for (step, number) in steps {
            time += TimeDelta::minutes(1);
            let before = channel.clone();
            let happened = happen(&mut channel, step, number, time);
            for (at, event) in (1_i64..).zip(&happened) {
                prop_assert_eq!(event.revision, before.revision() + at);
            }
            prop_assert_eq!(channel.revision(), before.revision() + i64::try_from(happened.len()).expect("few"));
            if let Some(last) = happened.last() {
                prop_assert_eq!(last.state, channel.state());
            }
            prop_assert!(!before.is_over() || channel.state() == before.state());
            let people: BTreeSet<_> = channel.members().iter().map(|one| &one.person).collect();
            prop_assert_eq!(people.len(), channel.members().len(), "each person once");
            prop_assert!(channel.state() != ChannelState::Active || !channel.link().is_empty());
            for one in channel.members() {
                prop_assert!(one.state != ChannelMemberState::Invited || one.invite_time.is_some());
                prop_assert!(!one.is_to_go || one.state == ChannelMemberState::Left);
            }
        }
        for left in (0..20).rev() {
            if channel.next().is_none() {
                break;
            }
            prop_assert!(left > 0, "still to do: {:?}", channel.next());
            happen(&mut channel, 9, 0, time);
        }
    }
}
