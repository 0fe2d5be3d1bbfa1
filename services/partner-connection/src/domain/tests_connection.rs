//! Invitations, connections and preferences (CON-001 to CON-040).

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use cosell_types::{AccountId, ClosedList as _, ParticipantType, Side};
use proptest::prelude::*;

use super::tests_member::{QUOTAS, now};
use super::values::{
    AccessType, AccountStatus, ConnectionInvitationStatus, ConnectionStatus, ConnectionType, PartnerTier,
    ProfileVisibility, SolutionType,
};
use super::{
    Account, AccountFacts, Action, Connection, ConnectionId, Invitation, InvitationId, Limit, Links, Offer,
    Preferences, Profile, ProfileId, ProfileText, Rule, Standing,
};

pub fn text(name: &str) -> ProfileText {
    ProfileText {
        display_name: name.to_owned(),
        description: String::new(),
        website_url: String::new(),
        logo_url: String::new(),
        solution_type: SolutionType::ManagedServices,
        industries: vec!["Energy - Oil and Gas".to_owned()],
        locale: "en-US".to_owned(),
        localized: Vec::new(),
        country_code: "DE".to_owned(),
    }
}

pub fn profile_id(letter: char) -> ProfileId {
    let letters: String = std::iter::repeat_n(letter, 13).collect();
    format!("pprofile-{letters}").parse().expect("a profile id")
}

pub fn account(number: char, with_profile: bool) -> Account {
    let id: String = std::iter::repeat_n(number, 12).collect();
    let facts = AccountFacts {
        status: AccountStatus::Active,
        legal_name: "Company Ltd".to_owned(),
        display_name: "Company".to_owned(),
        partner_types: BTreeSet::new(),
        tier: PartnerTier::Registered,
        programs: BTreeSet::new(),
        specializations: BTreeSet::new(),
    };
    let profile = with_profile.then(|| Profile {
        id: profile_id(number),
        visibility: ProfileVisibility::Public,
        text: text("Company"),
    });
    Account::register(
        id.parse().expect("an account"),
        Side::Partner,
        facts,
        true,
        profile,
        now(),
    )
    .0
}

pub fn suspended(mut account: Account) -> Account {
    let mut facts = account.facts().clone();
    facts.status = AccountStatus::Suspended;
    account.provision(&facts, true, None, now());
    account
}

fn preferring(mut account: Account, access: AccessType, excluded: &[ProfileId]) -> Account {
    let next = account
        .preferences()
        .replaced(access, excluded.iter().cloned().collect(), now())
        .expect("preferences");
    account.prefer(next, now());
    account
}

pub fn offer(kind: ConnectionType) -> Offer {
    Offer {
        kind,
        inviter_name: "Jane".into(),
        inviter_email: "jane@one.example".into(),
        message: "Let us work together".into(),
    }
}

/// Neither is linked with anybody.
pub const NO_LINKS: [Links; 2] = [Links {
    is_subsidiary: false,
    has_subsidiaries: false,
}; 2];

pub fn invitation_id() -> InvitationId {
    "pacinv-0000000000000".parse().expect("an invitation id")
}

pub fn connection_id() -> ConnectionId {
    "pac-0000000000000".parse().expect("a connection id")
}

fn send(from: &Account, to: &Account, standing: &Standing) -> Result<Invitation, Rule> {
    let offer = offer(ConnectionType::OpportunityCollaboration);
    Invitation::send(invitation_id(), from, to, offer, standing, &QUOTAS, now())
        .map(|(invitation, _)| invitation)
}

fn sent() -> Invitation {
    send(&account('1', true), &account('2', true), &Standing::default()).expect("an invitation")
}

pub fn one() -> AccountId {
    "111111111111".parse().expect("an account")
}

fn two() -> AccountId {
    "222222222222".parse().expect("an account")
}

fn connected(kind: ConnectionType) -> Connection {
    let invitation = Invitation::send(
        invitation_id(),
        &account('1', true),
        &account('2', true),
        offer(kind),
        &Standing::default(),
        &QUOTAS,
        now(),
    );
    let invitation = invitation.expect("an invitation").0;
    Connection::make(connection_id(), &invitation, [0, 0], &QUOTAS, now())
        .expect("a connection")
        .0
}

#[test]
fn con_001_002_con_030_who_can_invite_whom() {
    let (from, to) = (account('1', true), account('2', true));
    let none = Standing::default();
    let invitation = send(&from, &to, &none).expect("an invitation");
    assert_eq!(invitation.status(), ConnectionInvitationStatus::Pending);
    assert_eq!(invitation.participant(&one()), ParticipantType::Sender);
    assert_eq!(invitation.participant(&two()), ParticipantType::Receiver);
    let refused = [
        (send(&account('1', false), &to, &none), Rule::SenderProfile),
        (send(&suspended(from.clone()), &to, &none), Rule::AccountSuspended),
        (send(&from, &from, &none), Rule::ReceiverNaming),
        (send(&from, &suspended(to.clone()), &none), Rule::ReceiverRefuses),
        (
            send(&from, &preferring(to.clone(), AccessType::DenyAll, &[]), &none),
            Rule::ReceiverRefuses,
        ),
        (
            send(
                &from,
                &preferring(to.clone(), AccessType::AllowByDefaultDenySome, &[profile_id('1')]),
                &none,
            ),
            Rule::ReceiverRefuses,
        ),
    ];
    for (outcome, rule) in refused {
        assert_eq!(outcome.err(), Some(rule));
    }
    let others = preferring(to, AccessType::AllowByDefaultDenySome, &[profile_id('3')]);
    assert!(send(&from, &others, &none).is_ok());
}

#[test]
fn con_003_004_con_040_what_stands_in_the_way() {
    let (from, to) = (account('1', true), account('2', true));
    let send = |standing: Standing| send(&from, &to, &standing).err();
    let open = Standing {
        open_between: Some(invitation_id()),
        ..Standing::default()
    };
    assert_eq!(send(open), Some(Rule::DuplicateInvitation(invitation_id())));
    let same = Standing {
        connection: Some(connected(ConnectionType::OpportunityCollaboration)),
        ..Standing::default()
    };
    assert_eq!(send(same), Some(Rule::DuplicateConnection(connection_id())));
    let further = Standing {
        connection: Some(connected(ConnectionType::Subsidiary)),
        connections: 2,
        ..Standing::default()
    };
    assert_eq!(send(further), None, "a further type needs no further connection");
    for (standing, limit, most) in [
        (
            Standing {
                sent_today: 2,
                ..Standing::default()
            },
            Limit::InvitationsPerDay,
            2,
        ),
        (
            Standing {
                open: 3,
                ..Standing::default()
            },
            Limit::OpenInvitations,
            3,
        ),
        (
            Standing {
                connections: 2,
                ..Standing::default()
            },
            Limit::ActiveConnections,
            2,
        ),
    ] {
        assert_eq!(send(standing), Some(Rule::LimitExceeded(limit, most)));
    }
}

fn in_status(status: ConnectionInvitationStatus) -> (Invitation, DateTime<Utc>) {
    let mut invitation = sent();
    let later = now() + TimeDelta::days(1);
    match status {
        ConnectionInvitationStatus::Pending => {}
        ConnectionInvitationStatus::Accepted => {
            drop(invitation.accept(&two(), connection_id(), NO_LINKS, later))
        }
        ConnectionInvitationStatus::Rejected => drop(invitation.reject(&two(), "".into(), later)),
        ConnectionInvitationStatus::Canceled => drop(invitation.cancel(&one(), later)),
        ConnectionInvitationStatus::Expired => return (invitation, now() + TimeDelta::days(30)),
    }
    assert_eq!(invitation.status(), status);
    (invitation, later)
}

/// Every status by every action by either company.
#[test]
fn con_010_every_status_and_every_action() {
    for &status in ConnectionInvitationStatus::ALL {
        for (action, right, wrong, after) in [
            (Action::Accept, two(), one(), ConnectionInvitationStatus::Accepted),
            (Action::Reject, two(), one(), ConnectionInvitationStatus::Rejected),
            (Action::Cancel, one(), two(), ConnectionInvitationStatus::Canceled),
        ] {
            let act = |by: &AccountId| {
                let (mut invitation, at) = in_status(status);
                let before = invitation.clone();
                let outcome = match action {
                    Action::Accept => invitation.accept(by, connection_id(), NO_LINKS, at),
                    Action::Reject => invitation.reject(by, "no".into(), at),
                    _ => invitation.cancel(by, at),
                };
                if outcome.is_err() {
                    assert_eq!(invitation, before, "what is refused changes nothing");
                }
                (outcome.map(|event| event.0), invitation)
            };
            let participant = match action {
                Action::Cancel => ParticipantType::Receiver,
                _ => ParticipantType::Sender,
            };
            let refused = Err(Rule::Participant(participant, action));
            assert_eq!(act(&wrong).0, refused, "{status:?} {action:?}");
            let (outcome, invitation) = act(&right);
            if status == ConnectionInvitationStatus::Pending {
                assert_eq!(outcome, Ok(after));
                assert_eq!((invitation.status(), invitation.revision()), (after, 2));
            } else {
                assert_eq!(outcome, Err(Rule::IncompatibleInvitation(status, action)));
            }
        }
        let (mut invitation, _) = in_status(status);
        let end = invitation.expire_time();
        let is_open = matches!(
            status,
            ConnectionInvitationStatus::Pending | ConnectionInvitationStatus::Expired
        );
        assert_eq!(invitation.expire(end - TimeDelta::milliseconds(1)), None);
        assert_eq!(invitation.expire(end).is_some(), is_open, "{status:?}");
        assert_eq!(invitation.expire(end), None, "once");
        assert!(!is_open || invitation.status() == ConnectionInvitationStatus::Expired);
    }
}

#[test]
fn con_010_the_last_moment_is_too_late() {
    let mut invitation = sent();
    let end = invitation.expire_time();
    assert_eq!(end, now() + TimeDelta::days(30));
    let late = invitation.accept(&two(), connection_id(), NO_LINKS, end);
    assert_eq!(
        late.err(),
        Some(Rule::IncompatibleInvitation(
            ConnectionInvitationStatus::Expired,
            Action::Accept
        ))
    );
    assert_eq!(invitation.status_at(end), ConnectionInvitationStatus::Expired);
    let early = end - TimeDelta::milliseconds(1);
    assert_eq!(invitation.status_at(early), ConnectionInvitationStatus::Pending);
    assert!(
        invitation
            .accept(&two(), connection_id(), NO_LINKS, early)
            .is_ok()
    );
}

#[test]
fn con_004_con_020_021_types_come_and_go_and_the_last_ends_the_connection() {
    use ConnectionType::{OpportunityCollaboration, Subsidiary};
    let mut connection = connected(OpportunityCollaboration);
    assert_eq!(connection.other(&one()).account, two());
    assert_eq!(connection.other(&two()).account, one());
    let again = connection.extend(&sent(), now());
    assert_eq!(again.err(), Some(Rule::DuplicateConnection(connection_id())));
    let further = Invitation::send(
        invitation_id(),
        &account('2', true),
        &account('1', true),
        offer(Subsidiary),
        &Standing::default(),
        &QUOTAS,
        now(),
    );
    connection
        .extend(&further.expect("an invitation").0, now())
        .expect("a further type");
    assert_eq!(
        connection
            .cancel(OpportunityCollaboration, &two(), "done".into(), now())
            .map(|event| event.1),
        Ok(ConnectionStatus::Canceled)
    );
    assert_eq!(
        connection.status(),
        ConnectionStatus::Active,
        "the other type goes on"
    );
    assert_eq!(connection.ended_by(OpportunityCollaboration), Some(&two()));
    let twice = connection.cancel(OpportunityCollaboration, &one(), "done".into(), now());
    assert_eq!(twice.err(), Some(Rule::NotConnected));
    connection
        .cancel(Subsidiary, &one(), "done".into(), now())
        .expect("an end");
    assert_eq!(
        (connection.status(), connection.revision()),
        (ConnectionStatus::Canceled, 4)
    );
}

#[test]
fn con_040_neither_may_have_too_many_connections() {
    let invitation = sent();
    let make = |present| Connection::make(connection_id(), &invitation, present, &QUOTAS, now()).err();
    assert_eq!(make([1, 1]), None);
    for present in [[2, 0], [0, 2]] {
        assert_eq!(
            make(present),
            Some(Rule::LimitExceeded(Limit::ActiveConnections, 2))
        );
    }
}

#[test]
fn con_030_preferences_are_replaced_as_a_whole() {
    let preferences = Preferences::default();
    let some = BTreeSet::from([profile_id('3')]);
    let denied = AccessType::AllowByDefaultDenySome;
    for (access, excluded) in [(denied, BTreeSet::new()), (AccessType::AllowAll, some.clone())] {
        let wrong = preferences.replaced(access, excluded, now());
        assert!(matches!(wrong, Err(Rule::Invalid(_))), "{wrong:?}");
    }
    let next = preferences.replaced(denied, some, now()).expect("preferences");
    assert_eq!((next.revision, next.update_time), (2, Some(now())));
    assert!(next.admits(&profile_id('1')) && !next.admits(&profile_id('3')));
}

proptest! {
    /// Whatever the two do in whatever order and at whatever time: an invitation ends once, and never after its time.
    #[test]
    fn con_010_any_sequence(asked in prop::collection::vec((0..4_u8, any::<bool>(), 0..40_i64), 1..20)) {
        let mut invitation = sent();
        let mut days = 0;
        for (what, first, passed) in asked {
            days += passed;
            let at = now() + TimeDelta::days(days);
            let by = if first { one() } else { two() };
            let before = invitation.clone();
            let moved = match what {
                0 => invitation.accept(&by, connection_id(), NO_LINKS, at).is_ok(),
                1 => invitation.reject(&by, "".into(), at).is_ok(),
                2 => invitation.cancel(&by, at).is_ok(),
                _ => invitation.expire(at).is_some(),
            };
            if moved {
                prop_assert_eq!(before.status(), ConnectionInvitationStatus::Pending);
                prop_assert_eq!(invitation.status() == ConnectionInvitationStatus::Expired, days >= 30);
                prop_assert_eq!(invitation.connection().is_some(), invitation.status() == ConnectionInvitationStatus::Accepted);
            } else {
                prop_assert_eq!(&invitation, &before);
            }
        }
    }
}
