use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::tests_channel::{LINK, approve, in_state, made, of_aws, person, requested};
use super::tests_invitation::{member, now};
use super::values::{ChannelMemberState, ChannelProvider, ChannelState};
use super::{Channel, ChannelEvent, ChannelEventKind, Hindrance, Step};

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

/// What is due at a time.
fn due(channel: &Channel, time: DateTime<Utc>) -> Option<Step> {
    let next = channel.next().filter(|(_, due)| *due <= time);
    next.map(|(step, _)| step)
}

#[test]
fn chn_020_one_thing_after_the_other_until_all_is_done() {
    let mut channel = requested(ChannelProvider::Slack);
    assert_eq!(channel.next(), None, "nobody has decided");
    let later = now() + TimeDelta::hours(1);
    approve(&mut channel, later).expect("a decision");
    assert_eq!(due(&channel, later), Some(Step::Create));
    made(&mut channel);
    assert_eq!(channel.link().reveal(), LINK);
    assert_eq!(due(&channel, later), Some(Step::Greet));
    channel.greeted(later);
    let (sender, sales) = (person("mem-sender"), of_aws("mem-sales"));
    assert_eq!(due(&channel, later), Some(Step::Invite(sender.clone(), false)));
    // Whether that was done nobody knows: it is done again, and the provider told so.
    assert!(channel.take(&Step::Invite(sender.clone(), false), later));
    let later = later + TimeDelta::seconds(90);
    assert_eq!(
        due(&channel, later - TimeDelta::seconds(1)),
        None,
        "somebody does it"
    );
    assert_eq!(due(&channel, later), Some(Step::Invite(sender.clone(), true)));
    channel.invited(&sender, None, later);
    assert_eq!(due(&channel, later), Some(Step::Invite(sales.clone(), false)));
    channel.invited(&sales, None, later);
    channel.joined(&sender, Some("U0001"), later);
    channel.left(&sender, false, later);
    assert_eq!(
        due(&channel, later),
        Some(Step::Remove(sender.clone(), "U0001".to_owned()))
    );
    channel.removed(&sender);
    assert!(matches!(channel.next(), Some((Step::Expire(who), _)) if who == sales));
    channel.archive(later).expect("an end");
    assert_eq!(due(&channel, later), Some(Step::Archive));
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

/// While the provider does something, the channel ends, or somebody else looks what is to be done.
#[test]
fn chn_010_020_what_is_done_meanwhile_wakes_nothing_up_and_is_done_by_one() {
    let later = now() + TimeDelta::minutes(1);
    let mut channel = in_state(ChannelState::Approved);
    assert!(channel.take(&Step::Create, now()));
    assert!(!channel.take(&Step::Create, later), "somebody does it");
    let crashed = later + TimeDelta::minutes(1);
    assert!(
        channel.clone().take(&Step::Create, crashed),
        "nobody does it any more"
    );
    // It ends before it is known whether it was made: it is found, and put away.
    channel.archive(later).expect("an end");
    assert_eq!(due(&channel, later), Some(Step::Create));
    made(&mut channel);
    assert_eq!(due(&channel, later), Some(Step::Archive));

    let mut channel = in_state(ChannelState::Approved);
    made(&mut channel);
    assert!(channel.take(&Step::Greet, now()));
    channel.archive(later).expect("an end");
    assert_eq!(channel.greeted(later), None);
    assert_eq!(channel.state(), ChannelState::Archived);
    assert_eq!(due(&channel, later), Some(Step::Archive));

    let mut channel = in_state(ChannelState::Active);
    assert_eq!(channel.greeted(later), None, "it is there");
    let who = person("mem-sender");
    assert!(channel.take(&Step::Invite(who.clone(), false), now()));
    channel.archive(later).expect("an end");
    assert_eq!(channel.invited(&who, None, later), None);
    assert_eq!(channel.expired(&who, later), None);
    assert_eq!(channel.left(&who, false, later), None);
    assert_eq!(channel.state(), ChannelState::Archived);
}

#[test]
fn chn_020_who_cannot_be_taken_out_keeps_nobody_from_the_channel() {
    let mut channel = in_state(ChannelState::Active);
    let (sender, sales) = (person("mem-sender"), of_aws("mem-sales"));
    channel.joined(&sender, Some("U0001"), now());
    channel.left(&sender, false, now());
    let remove = Step::Remove(sender.clone(), "U0001".to_owned());
    assert!(channel.take(&remove, now()));
    channel.not_removed(&sender, "restricted_action");
    assert_eq!(channel.last_failure(), Some("restricted_action"));
    assert_eq!(due(&channel, now()), Some(Step::Invite(sales.clone(), false)));
    // Who is in it already has come.
    assert!(channel.take(&Step::Invite(sales.clone(), false), now()));
    let event = channel.found(&sales, Some("U0002"), now()).expect("it came");
    assert_eq!(event.kind, ChannelEventKind::MemberJoined(sales));
    assert_eq!((channel.next(), channel.last_failure()), (None, None));
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
        assert_eq!(due(&channel, now()), Some(Step::Greet));
    }
}

/// A step of a random sequence, about one of these people.
fn happen(
    channel: &mut Channel,
    taken: &mut Vec<Step>,
    (step, number): (u8, u8),
    time: DateTime<Utc>,
) -> Vec<ChannelEvent> {
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
        // A worker takes what is next, which is done after whatever else happens.
        9..=11 => {
            if let Some((step, due)) = channel.next() {
                let time = time.max(due);
                if channel.take(&step, time) {
                    taken.push(step);
                }
            }
            Vec::new()
        }
        _ if taken.is_empty() => Vec::new(),
        _ => match taken.remove(0) {
            Step::Create => {
                made(channel);
                Vec::new()
            }
            Step::Greet => channel.greeted(time).into_iter().collect(),
            Step::Invite(who, _) => channel.invited(&who, None, time).into_iter().collect(),
            Step::Remove(who, _) => {
                channel.removed(&who);
                Vec::new()
            }
            Step::Archive => {
                channel.put_away();
                Vec::new()
            }
            Step::Expire(who) => channel.expired(&who, time).into_iter().collect(),
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
        let (mut time, mut taken) = (now(), Vec::new());
        for (step, number) in steps {
            time += TimeDelta::minutes(1);
            let before = channel.clone();
            let happened = happen(&mut channel, &mut taken, (step, number), time);
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
            if channel.next().is_none() && taken.is_empty() {
                break;
            }
            prop_assert!(left > 0, "still to do: {:?}", channel.next());
            happen(&mut channel, &mut taken, (9, 0), time);
            while !taken.is_empty() {
                happen(&mut channel, &mut taken, (15, 0), time);
            }
        }
        let is_put_away = by_hand || channel.state() != ChannelState::Archived || channel.external_id().is_none();
        prop_assert!(is_put_away || channel.is_put_away, "with the provider it is over, too");
    }
}
