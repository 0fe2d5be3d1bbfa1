use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{ClosedList as _, Pii};

use super::tests_invitation::{account, member, now, opportunity};
use super::values::{ChannelMemberState, ChannelProvider, ChannelState};
use super::{Channel, ChannelEvent, ChannelEventKind, ChannelPolicy, Deal, Person, Request, Rule, Step};

pub const LINK: &str = "https://chat.example/nordwind";

pub fn person(id: &str) -> Person {
    Person {
        account: account(0),
        member: member(id),
    }
}

pub fn of_aws(id: &str) -> Person {
    Person {
        account: account(9),
        member: member(id),
    }
}

/// A channel that mem-sender asks for, with itself in it.
pub fn requested(provider: ChannelProvider) -> Channel {
    let (channel, event) = Channel::request(
        Request {
            id: "chan-0000000000000".parse().expect("an id"),
            account: account(0),
            by: member("mem-sender"),
            opportunity: opportunity(7),
            purpose: "The migration".into(),
            provider,
            members: vec![member("mem-sender")],
        },
        now(),
    );
    assert_eq!(
        (event.kind, event.revision),
        (ChannelEventKind::Requested, channel.revision())
    );
    channel
}

pub fn approve(channel: &mut Channel, time: DateTime<Utc>) -> Result<Vec<ChannelEvent>, Rule> {
    channel.approve(
        Some(&member("mem-owner")),
        vec![of_aws("mem-sales")],
        LINK.into(),
        time,
    )
}

pub fn made(channel: &mut Channel) {
    channel.created("C0001".to_owned(), LINK.into());
}

/// A channel of a provider that stands there.
pub fn in_state(state: ChannelState) -> Channel {
    let mut channel = requested(ChannelProvider::Slack);
    match state {
        ChannelState::Requested => {}
        ChannelState::Declined => {
            let declined = channel.decline(&member("mem-owner"), "No".into(), now());
            declined.expect("a decision");
        }
        ChannelState::Approved => {
            approve(&mut channel, now()).expect("a decision");
        }
        ChannelState::Active => {
            approve(&mut channel, now()).expect("a decision");
            made(&mut channel);
            channel.greeted(now());
        }
        ChannelState::Archived => {
            approve(&mut channel, now()).expect("a decision");
            made(&mut channel);
            channel.archive(now()).expect("an end");
        }
    }
    assert_eq!(channel.state(), state);
    channel
}

/// An active channel in which mem-sender stands there; nobody else is in it.
fn where_one_is(state: ChannelMemberState) -> Channel {
    let mut channel = requested(ChannelProvider::Slack);
    channel
        .approve(None, Vec::new(), LINK.into(), now())
        .expect("a decision");
    made(&mut channel);
    channel.greeted(now());
    let who = person("mem-sender");
    if state != ChannelMemberState::Selected {
        channel.invited(&who, Some("I0001".to_owned()), now());
    }
    match state {
        ChannelMemberState::Selected | ChannelMemberState::Invited => None,
        ChannelMemberState::Joined => channel.joined(&who, Some("U0001"), now()),
        ChannelMemberState::Left => {
            channel.joined(&who, Some("U0001"), now());
            channel.left(&who, true, now())
        }
        ChannelMemberState::OptedOut => channel.opted_out(&who, now()),
        ChannelMemberState::Expired => channel.expired(&who, now()),
    };
    assert_eq!(channel.member(&who).map(|one| one.state), Some(state));
    channel
}

/// Every cell of the table of CHN-010.
#[test]
fn chn_010_013_channels_move_as_the_table_says_and_in_no_other_way() {
    let later = now() + TimeDelta::hours(1);
    for state in ChannelState::ALL.iter().copied() {
        let refused = |action| Rule::IllegalTransition {
            state: state.name(),
            action,
        };
        let asked = state == ChannelState::Requested;
        let over = matches!(state, ChannelState::Declined | ChannelState::Archived);
        let before = in_state(state);
        assert_eq!(before.is_over(), over, "{state:?}");

        let mut channel = before.clone();
        match approve(&mut channel, later) {
            Ok(happened) => {
                assert!(asked, "{state:?}");
                assert_eq!(happened.len(), 1);
                assert_eq!(
                    (channel.state(), happened[0].kind.clone(), happened[0].state),
                    (
                        ChannelState::Approved,
                        ChannelEventKind::Approved,
                        ChannelState::Approved
                    )
                );
                let decision = channel.decision().expect("a decision");
                assert_eq!(
                    (decision.by.clone(), decision.time),
                    (Some(member("mem-owner")), later)
                );
            }
            Err(rule) => {
                assert!(!asked, "{state:?}");
                assert_eq!((rule, &channel), (refused("APPROVE"), &before));
            }
        }

        let mut channel = before.clone();
        match channel.decline(&member("mem-owner"), "No".into(), later) {
            Ok(event) => {
                assert!(asked, "{state:?}");
                assert_eq!(
                    (channel.state(), event.kind),
                    (ChannelState::Declined, ChannelEventKind::Declined)
                );
            }
            Err(rule) => {
                assert!(!asked, "{state:?}");
                assert_eq!((rule, &channel), (refused("DECLINE"), &before));
            }
        }

        let mut channel = before.clone();
        match channel.archive(later) {
            Ok(event) => {
                assert!(!over, "{state:?}");
                assert_eq!(
                    (channel.state(), event.kind),
                    (ChannelState::Archived, ChannelEventKind::Archived)
                );
            }
            Err(rule) => {
                assert!(over, "{state:?}");
                assert_eq!((rule, &channel), (refused("ARCHIVE"), &before));
            }
        }

        let mut channel = before.clone();
        match channel.add(vec![of_aws("mem-other")], later) {
            Ok(event) => {
                assert!(!over && !asked, "{state:?}");
                assert_eq!(
                    event.map(|event| event.kind),
                    Some(ChannelEventKind::MembersAdded)
                );
                assert_eq!(channel.state(), state);
            }
            Err(rule) => {
                assert!(over || asked, "{state:?}");
                assert_eq!((rule, &channel), (refused("ADD_MEMBERS"), &before));
            }
        }
    }
}

/// What happens to a person, and where it then stands.
#[test]
fn chn_011_012_people_move_from_each_state_as_they_may_and_in_no_other_way() {
    use ChannelMemberState::{Expired, Invited, Joined, Left, OptedOut, Selected};
    type Happen = fn(&mut Channel, &Person) -> Option<ChannelEvent>;
    let table: [(&str, Happen, &[ChannelMemberState], ChannelMemberState); 6] = [
        (
            "asked",
            |channel, who| channel.invited(who, Some("I0002".to_owned()), now()),
            &[Selected],
            Invited,
        ),
        (
            "comes",
            |channel, who| channel.joined(who, Some("U0002"), now()),
            &[Selected, Invited, Expired],
            Joined,
        ),
        (
            "leaves",
            |channel, who| channel.left(who, false, now()),
            &[Selected, Invited, Joined],
            Left,
        ),
        (
            "does not want to be asked",
            |channel, who| channel.opted_out(who, now()),
            &[Selected, Invited],
            OptedOut,
        ),
        (
            "does not come in time",
            |channel, who| channel.expired(who, now()),
            &[Selected, Invited],
            Expired,
        ),
        (
            "is added",
            |channel, who| channel.add(vec![who.clone()], now()).expect("it is open"),
            &[Left, OptedOut, Expired],
            Selected,
        ),
    ];
    let who = person("mem-sender");
    for (what, happen, from, to) in table {
        for state in ChannelMemberState::ALL.iter().copied() {
            let before = where_one_is(state);
            let mut channel = before.clone();
            let event = happen(&mut channel, &who);
            let stands = channel.member(&who).expect("it").state;
            if from.contains(&state) {
                let event = event.unwrap_or_else(|| panic!("{state:?}: {what}"));
                assert_eq!(stands, to, "{state:?}: {what}");
                assert_eq!(event.revision, before.revision() + 1);
                let expected = match to {
                    Selected => ChannelEventKind::MembersAdded,
                    Invited => ChannelEventKind::MemberInvited(who.clone()),
                    Joined => ChannelEventKind::MemberJoined(who.clone()),
                    Left => ChannelEventKind::MemberLeft(who.clone()),
                    OptedOut => ChannelEventKind::MemberOptedOut(who.clone()),
                    Expired => ChannelEventKind::MemberExpired(who.clone()),
                };
                assert_eq!(event.kind, expected, "{state:?}: {what}");
            } else {
                assert_eq!((event, stands), (None, state), "{state:?}: {what}");
                assert_eq!(channel.revision(), before.revision(), "{state:?}: {what}");
            }
        }
    }
    // Nobody else is moved by it, and nobody comes into a channel that is not there.
    for (what, happen, ..) in &table[..5] {
        let mut channel = where_one_is(Invited);
        assert_eq!(happen(&mut channel, &person("mem-nobody")), None, "{what}");
    }
    for state in [
        ChannelState::Requested,
        ChannelState::Approved,
        ChannelState::Archived,
    ] {
        let mut channel = in_state(state);
        assert_eq!(channel.joined(&who, None, now()), None, "{state:?}");
    }
}

#[test]
fn chn_030_kept_by_hand_it_is_there_with_its_link_once_approved() {
    let mut channel = requested(ChannelProvider::Manual);
    let happened = approve(&mut channel, now()).expect("a decision");
    let kinds: Vec<_> = happened.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [ChannelEventKind::Approved, ChannelEventKind::Activated]);
    assert_eq!(
        (channel.state(), channel.link().reveal().as_str()),
        (ChannelState::Active, LINK)
    );
    // Who leaves needs nobody to take it out.
    let who = person("mem-sender");
    channel.invited(&who, None, now());
    channel.joined(&who, None, now());
    channel.left(&who, false, now());
    assert!(!matches!(channel.next(), Some((Step::Remove(..), _))));
}

#[test]
fn chn_004_who_has_approved_is_said_and_the_platform_is_nobody() {
    let mut channel = requested(ChannelProvider::Slack);
    channel
        .approve(None, Vec::new(), Pii::default(), now())
        .expect("a decision");
    let decision = channel.decision().expect("a decision");
    assert_eq!((&decision.by, decision.time), (&None, now()));
}

#[test]
fn chn_001_what_gets_a_channel_and_why_not() {
    let policy = ChannelPolicy {
        min_spend: 1_000_000,
        auto_approve: false,
    };
    let large = Deal {
        is_approved: true,
        is_cosell: true,
        is_in_stage: true,
        spend: 1_000_000,
        is_strategic: false,
    };
    let strategic = Deal {
        spend: 0,
        is_strategic: true,
        ..large.clone()
    };
    for deal in [&large, &strategic] {
        assert_eq!(deal.require_eligible(opportunity(7), &policy), Ok(()));
    }
    let small = Deal {
        spend: 999_999,
        ..large.clone()
    };
    let cases = [
        ("VALUE", small),
        (
            "REVIEW_STATUS",
            Deal {
                is_approved: false,
                ..large.clone()
            },
        ),
        (
            "INVOLVEMENT_TYPE",
            Deal {
                is_cosell: false,
                ..large.clone()
            },
        ),
        (
            "STAGE",
            Deal {
                is_in_stage: false,
                ..large
            },
        ),
    ];
    for (cause, deal) in cases {
        assert_eq!(
            deal.require_eligible(opportunity(7), &policy),
            Err(Rule::NotEligible(opportunity(7), cause))
        );
    }
}
