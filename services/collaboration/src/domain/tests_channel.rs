//! Covers channels: transitions of the channel and of its members, the manual provider, automatic approval, and
//! eligibility (CHN-001, CHN-004, CHN-010 to CHN-013, CHN-030). Provides builders for the other tests of this module.

use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{ClosedList as _, Pii};

use super::tests_invitation::{account, member, now, opportunity};
use super::values::{ChannelMemberState, ChannelProvider, ChannelState};
use super::{
    Channel, ChannelEvent, ChannelEventKind, ChannelPolicy, ChannelRequest, ChannelStep, MemberRef,
    OpportunityFacts, Rule,
};

pub const LINK: &str = "https://chat.example/nordwind";

pub fn member_ref(id: &str) -> MemberRef {
    MemberRef {
        account: account(0),
        member: member(id),
    }
}

pub fn aws_member_ref(id: &str) -> MemberRef {
    MemberRef {
        account: account(9),
        member: member(id),
    }
}

/// A channel that mem-sender requests, with itself as the only member.
pub fn requested_channel(provider: ChannelProvider) -> Channel {
    let (channel, event) = Channel::request(
        ChannelRequest {
            id: "chan-0000000000000".parse().expect("an id"),
            account: account(0),
            requested_by: member("mem-sender"),
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
        vec![aws_member_ref("mem-sales")],
        LINK.into(),
        time,
    )
}

pub fn record_creation(channel: &mut Channel) {
    channel.created_at_provider("C0001".to_owned(), LINK.into());
}

/// A Slack channel in the given state.
pub fn channel_in_state(state: ChannelState) -> Channel {
    let mut channel = requested_channel(ChannelProvider::Slack);
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
            record_creation(&mut channel);
            channel.welcome_message_posted(now());
        }
        ChannelState::Archived => {
            approve(&mut channel, now()).expect("a decision");
            record_creation(&mut channel);
            channel.archive(now()).expect("an archived channel");
        }
    }
    assert_eq!(channel.state(), state);
    channel
}

/// An active channel whose only member, mem-sender, is in the given state.
fn channel_with_member_in(state: ChannelMemberState) -> Channel {
    let mut channel = requested_channel(ChannelProvider::Slack);
    channel
        .approve(None, Vec::new(), LINK.into(), now())
        .expect("a decision");
    record_creation(&mut channel);
    channel.welcome_message_posted(now());
    let sender = member_ref("mem-sender");
    if state != ChannelMemberState::Selected {
        channel.member_invited(&sender, Some("I0001".to_owned()), now());
    }
    match state {
        ChannelMemberState::Selected | ChannelMemberState::Invited => None,
        ChannelMemberState::Joined => channel.member_joined(&sender, Some("U0001"), now()),
        ChannelMemberState::Left => {
            channel.member_joined(&sender, Some("U0001"), now());
            channel.member_left(&sender, true, now())
        }
        ChannelMemberState::OptedOut => channel.member_opted_out(&sender, now()),
        ChannelMemberState::Expired => channel.member_expired(&sender, now()),
    };
    assert_eq!(channel.member(&sender).map(|member| member.state), Some(state));
    channel
}

/// Checks every cell of the transition table of CHN-010.
#[test]
fn chn_010_013_channel_in_each_state_allows_only_listed_transitions() {
    let later = now() + TimeDelta::hours(1);
    for state in ChannelState::ALL.iter().copied() {
        let refused = |action| Rule::IllegalTransition {
            state: state.name(),
            action,
        };
        let is_requested = state == ChannelState::Requested;
        let is_closed = matches!(state, ChannelState::Declined | ChannelState::Archived);
        let before = channel_in_state(state);
        assert_eq!(before.is_closed(), is_closed, "{state:?}");

        let mut channel = before.clone();
        match approve(&mut channel, later) {
            Ok(events) => {
                assert!(is_requested, "{state:?}");
                assert_eq!(events.len(), 1);
                assert_eq!(
                    (channel.state(), events[0].kind.clone(), events[0].state),
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
                assert!(!is_requested, "{state:?}");
                assert_eq!((rule, &channel), (refused("APPROVE"), &before));
            }
        }

        let mut channel = before.clone();
        match channel.decline(&member("mem-owner"), "No".into(), later) {
            Ok(event) => {
                assert!(is_requested, "{state:?}");
                assert_eq!(
                    (channel.state(), event.kind),
                    (ChannelState::Declined, ChannelEventKind::Declined)
                );
            }
            Err(rule) => {
                assert!(!is_requested, "{state:?}");
                assert_eq!((rule, &channel), (refused("DECLINE"), &before));
            }
        }

        let mut channel = before.clone();
        match channel.archive(later) {
            Ok(event) => {
                assert!(!is_closed, "{state:?}");
                assert_eq!(
                    (channel.state(), event.kind),
                    (ChannelState::Archived, ChannelEventKind::Archived)
                );
            }
            Err(rule) => {
                assert!(is_closed, "{state:?}");
                assert_eq!((rule, &channel), (refused("ARCHIVE"), &before));
            }
        }

        let mut channel = before.clone();
        match channel.add_members(vec![aws_member_ref("mem-other")], later) {
            Ok(event) => {
                assert!(!is_closed && !is_requested, "{state:?}");
                assert_eq!(
                    event.map(|event| event.kind),
                    Some(ChannelEventKind::MembersAdded)
                );
                assert_eq!(channel.state(), state);
            }
            Err(rule) => {
                assert!(is_closed || is_requested, "{state:?}");
                assert_eq!((rule, &channel), (refused("ADD_MEMBERS"), &before));
            }
        }
    }
}

/// Applies every member event in every member state.
#[test]
fn chn_011_012_member_in_each_state_allows_only_listed_transitions() {
    use ChannelMemberState::{Expired, Invited, Joined, Left, OptedOut, Selected};
    type Apply = fn(&mut Channel, &MemberRef) -> Option<ChannelEvent>;
    let table: [(&str, Apply, &[ChannelMemberState], ChannelMemberState); 6] = [
        (
            "invited",
            |channel, member_ref| channel.member_invited(member_ref, Some("I0002".to_owned()), now()),
            &[Selected],
            Invited,
        ),
        (
            "joined",
            |channel, member_ref| channel.member_joined(member_ref, Some("U0002"), now()),
            &[Selected, Invited, Expired],
            Joined,
        ),
        (
            "left",
            |channel, member_ref| channel.member_left(member_ref, false, now()),
            &[Selected, Invited, Joined],
            Left,
        ),
        (
            "opted out",
            |channel, member_ref| channel.member_opted_out(member_ref, now()),
            &[Selected, Invited],
            OptedOut,
        ),
        (
            "expired",
            |channel, member_ref| channel.member_expired(member_ref, now()),
            &[Selected, Invited],
            Expired,
        ),
        (
            "added",
            |channel, member_ref| {
                channel
                    .add_members(vec![member_ref.clone()], now())
                    .expect("an open channel")
            },
            &[Left, OptedOut, Expired],
            Selected,
        ),
    ];
    let sender = member_ref("mem-sender");
    for (name, apply, from, to) in table {
        for state in ChannelMemberState::ALL.iter().copied() {
            let before = channel_with_member_in(state);
            let mut channel = before.clone();
            let event = apply(&mut channel, &sender);
            let after = channel.member(&sender).expect("a member").state;
            if from.contains(&state) {
                let event = event.unwrap_or_else(|| panic!("{state:?}: {name}"));
                assert_eq!(after, to, "{state:?}: {name}");
                assert_eq!(event.revision, before.revision() + 1);
                let expected = match to {
                    Selected => ChannelEventKind::MembersAdded,
                    Invited => ChannelEventKind::MemberInvited(sender.clone()),
                    Joined => ChannelEventKind::MemberJoined(sender.clone()),
                    Left => ChannelEventKind::MemberLeft(sender.clone()),
                    OptedOut => ChannelEventKind::MemberOptedOut(sender.clone()),
                    Expired => ChannelEventKind::MemberExpired(sender.clone()),
                };
                assert_eq!(event.kind, expected, "{state:?}: {name}");
            } else {
                assert_eq!((event, after), (None, state), "{state:?}: {name}");
                assert_eq!(channel.revision(), before.revision(), "{state:?}: {name}");
            }
        }
    }
    // Events of unknown members are ignored, and nobody joins a channel that is not active.
    for (name, apply, ..) in &table[..5] {
        let mut channel = channel_with_member_in(Invited);
        assert_eq!(apply(&mut channel, &member_ref("mem-unknown")), None, "{name}");
    }
    for state in [
        ChannelState::Requested,
        ChannelState::Approved,
        ChannelState::Archived,
    ] {
        let mut channel = channel_in_state(state);
        assert_eq!(channel.member_joined(&sender, None, now()), None, "{state:?}");
    }
}

#[test]
fn chn_030_manual_channel_is_active_with_link_once_approved() {
    let mut channel = requested_channel(ChannelProvider::Manual);
    let events = approve(&mut channel, now()).expect("a decision");
    let kinds: Vec<_> = events.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [ChannelEventKind::Approved, ChannelEventKind::Activated]);
    assert_eq!(
        (channel.state(), channel.link().reveal().as_str()),
        (ChannelState::Active, LINK)
    );
    // A member that leaves a manual channel needs no removal step.
    let sender = member_ref("mem-sender");
    channel.member_invited(&sender, None, now());
    channel.member_joined(&sender, None, now());
    channel.member_left(&sender, false, now());
    assert!(!matches!(channel.next_step(), Some((ChannelStep::Remove(..), _))));
}

#[test]
fn chn_004_automatic_approval_has_no_deciding_member() {
    let mut channel = requested_channel(ChannelProvider::Slack);
    channel
        .approve(None, Vec::new(), Pii::default(), now())
        .expect("a decision");
    let decision = channel.decision().expect("a decision");
    assert_eq!((&decision.by, decision.time), (&None, now()));
}

#[test]
fn chn_001_ineligible_opportunity_is_refused_with_cause() {
    let policy = ChannelPolicy {
        min_monthly_spend: 1_000_000,
        auto_approve: false,
    };
    let large = OpportunityFacts {
        is_approved: true,
        is_co_sell: true,
        has_eligible_stage: true,
        monthly_spend: 1_000_000,
        is_strategic: false,
    };
    let strategic = OpportunityFacts {
        monthly_spend: 0,
        is_strategic: true,
        ..large.clone()
    };
    for eligible in [&large, &strategic] {
        assert_eq!(eligible.require_eligible(opportunity(7), &policy), Ok(()));
    }
    let small = OpportunityFacts {
        monthly_spend: 999_999,
        ..large.clone()
    };
    let cases = [
        ("VALUE", small),
        (
            "REVIEW_STATUS",
            OpportunityFacts {
                is_approved: false,
                ..large.clone()
            },
        ),
        (
            "INVOLVEMENT_TYPE",
            OpportunityFacts {
                is_co_sell: false,
                ..large.clone()
            },
        ),
        (
            "STAGE",
            OpportunityFacts {
                has_eligible_stage: false,
                ..large
            },
        ),
    ];
    for (cause, ineligible) in cases {
        assert_eq!(
            ineligible.require_eligible(opportunity(7), &policy),
            Err(Rule::NotEligible(opportunity(7), cause))
        );
    }
}
