//! Covers invitations, connections and preferences: who may invite whom, limits, state transitions, expiry,
//! cancellation, and random sequences (CON-001 to CON-040). Provides builders for the other tests of this module.

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
    Account, AccountFacts, AttemptedAction, Connection, ConnectionContext, ConnectionId, Invitation,
    InvitationDetails, InvitationId, Limit, Preferences, Profile, ProfileId, ProfileText, Rule,
    SubsidiaryLinks,
};

pub fn profile_text(name: &str) -> ProfileText {
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
        text: profile_text("Company"),
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
    account.provision_next_change(&facts, true, None, now());
    account
}

fn with_preferences(mut account: Account, access: AccessType, excluded: &[ProfileId]) -> Account {
    let next = account
        .preferences()
        .replaced_with(access, excluded.iter().cloned().collect(), now())
        .expect("preferences");
    account.replace_preferences(next, now());
    account
}

pub fn details(kind: ConnectionType) -> InvitationDetails {
    InvitationDetails {
        kind,
        inviter_name: "Jane".into(),
        inviter_email: "jane@one.example".into(),
        message: "Let us work together".into(),
    }
}

/// Neither account is linked with another one.
pub const NO_LINKS: [SubsidiaryLinks; 2] = [SubsidiaryLinks {
    is_subsidiary: false,
    has_subsidiaries: false,
}; 2];

pub fn invitation_id() -> InvitationId {
    "pacinv-0000000000000".parse().expect("an invitation id")
}

pub fn connection_id() -> ConnectionId {
    "pac-0000000000000".parse().expect("a connection id")
}

fn send_invitation(from: &Account, to: &Account, context: &ConnectionContext) -> Result<Invitation, Rule> {
    let details = details(ConnectionType::OpportunityCollaboration);
    Invitation::send(invitation_id(), from, to, details, context, &QUOTAS, now())
        .map(|(invitation, _)| invitation)
}

fn pending_invitation() -> Invitation {
    send_invitation(
        &account('1', true),
        &account('2', true),
        &ConnectionContext::default(),
    )
    .expect("an invitation")
}

pub fn first_account() -> AccountId {
    "111111111111".parse().expect("an account")
}

fn second_account() -> AccountId {
    "222222222222".parse().expect("an account")
}

fn active_connection(kind: ConnectionType) -> Connection {
    let invitation = Invitation::send(
        invitation_id(),
        &account('1', true),
        &account('2', true),
        details(kind),
        &ConnectionContext::default(),
        &QUOTAS,
        now(),
    );
    let invitation = invitation.expect("an invitation").0;
    Connection::establish(connection_id(), &invitation, [0, 0], &QUOTAS, now())
        .expect("a connection")
        .0
}

#[test]
fn con_001_002_con_030_invitation_is_refused_for_ineligible_accounts() {
    let (from, to) = (account('1', true), account('2', true));
    let no_context = ConnectionContext::default();
    let invitation = send_invitation(&from, &to, &no_context).expect("an invitation");
    assert_eq!(invitation.status(), ConnectionInvitationStatus::Pending);
    assert_eq!(
        invitation.participant_type(&first_account()),
        ParticipantType::Sender
    );
    assert_eq!(
        invitation.participant_type(&second_account()),
        ParticipantType::Receiver
    );
    let refused = [
        (
            send_invitation(&account('1', false), &to, &no_context),
            Rule::SenderProfileRequired,
        ),
        (
            send_invitation(&suspended(from.clone()), &to, &no_context),
            Rule::AccountSuspended,
        ),
        (
            send_invitation(&from, &from, &no_context),
            Rule::InvalidReceiverId,
        ),
        (
            send_invitation(&from, &suspended(to.clone()), &no_context),
            Rule::InvitationNotAdmitted,
        ),
        (
            send_invitation(
                &from,
                &with_preferences(to.clone(), AccessType::DenyAll, &[]),
                &no_context,
            ),
            Rule::InvitationNotAdmitted,
        ),
        (
            send_invitation(
                &from,
                &with_preferences(to.clone(), AccessType::AllowByDefaultDenySome, &[profile_id('1')]),
                &no_context,
            ),
            Rule::InvitationNotAdmitted,
        ),
    ];
    for (outcome, rule) in refused {
        assert_eq!(outcome.err(), Some(rule));
    }
    let others = with_preferences(to, AccessType::AllowByDefaultDenySome, &[profile_id('3')]);
    assert!(send_invitation(&from, &others, &no_context).is_ok());
}

#[test]
fn con_003_004_con_040_duplicate_or_excess_invitation_is_refused() {
    let (from, to) = (account('1', true), account('2', true));
    let send_with = |context: ConnectionContext| send_invitation(&from, &to, &context).err();
    let pending = ConnectionContext {
        pending_invitation: Some(invitation_id()),
        ..ConnectionContext::default()
    };
    assert_eq!(
        send_with(pending),
        Some(Rule::DuplicateInvitation(invitation_id()))
    );
    let same_type = ConnectionContext {
        active_connection: Some(active_connection(ConnectionType::OpportunityCollaboration)),
        ..ConnectionContext::default()
    };
    assert_eq!(
        send_with(same_type),
        Some(Rule::DuplicateConnection(connection_id()))
    );
    let other_type = ConnectionContext {
        active_connection: Some(active_connection(ConnectionType::Subsidiary)),
        active_connections: 2,
        ..ConnectionContext::default()
    };
    assert_eq!(
        send_with(other_type),
        None,
        "another type on a connection must not count as another connection"
    );
    for (context, limit, max) in [
        (
            ConnectionContext {
                invitations_sent_today: 2,
                ..ConnectionContext::default()
            },
            Limit::InvitationsPerDay,
            2,
        ),
        (
            ConnectionContext {
                open_invitations: 3,
                ..ConnectionContext::default()
            },
            Limit::OpenInvitations,
            3,
        ),
        (
            ConnectionContext {
                active_connections: 2,
                ..ConnectionContext::default()
            },
            Limit::ActiveConnections,
            2,
        ),
    ] {
        assert_eq!(send_with(context), Some(Rule::LimitExceeded(limit, max)));
    }
}

fn invitation_in_status(status: ConnectionInvitationStatus) -> (Invitation, DateTime<Utc>) {
    let mut invitation = pending_invitation();
    let later = now() + TimeDelta::days(1);
    match status {
        ConnectionInvitationStatus::Pending => {}
        ConnectionInvitationStatus::Accepted => {
            drop(invitation.accept(&second_account(), connection_id(), NO_LINKS, later))
        }
        ConnectionInvitationStatus::Rejected => drop(invitation.reject(&second_account(), "".into(), later)),
        ConnectionInvitationStatus::Canceled => drop(invitation.cancel(&first_account(), later)),
        ConnectionInvitationStatus::Expired => return (invitation, now() + TimeDelta::days(30)),
    }
    assert_eq!(invitation.status(), status);
    (invitation, later)
}

/// Applies every action by either account in every status.
#[test]
fn con_010_invitation_in_each_status_allows_only_listed_actions() {
    for &status in ConnectionInvitationStatus::ALL {
        for (action, allowed, not_allowed, after) in [
            (
                AttemptedAction::Accept,
                second_account(),
                first_account(),
                ConnectionInvitationStatus::Accepted,
            ),
            (
                AttemptedAction::Reject,
                second_account(),
                first_account(),
                ConnectionInvitationStatus::Rejected,
            ),
            (
                AttemptedAction::Cancel,
                first_account(),
                second_account(),
                ConnectionInvitationStatus::Canceled,
            ),
        ] {
            let act = |by: &AccountId| {
                let (mut invitation, at) = invitation_in_status(status);
                let before = invitation.clone();
                let outcome = match action {
                    AttemptedAction::Accept => invitation.accept(by, connection_id(), NO_LINKS, at),
                    AttemptedAction::Reject => invitation.reject(by, "no".into(), at),
                    _ => invitation.cancel(by, at),
                };
                if outcome.is_err() {
                    assert_eq!(
                        invitation, before,
                        "a refused call must not change the invitation"
                    );
                }
                (outcome.map(|event| event.0), invitation)
            };
            let participant = match action {
                AttemptedAction::Cancel => ParticipantType::Receiver,
                _ => ParticipantType::Sender,
            };
            let refused = Err(Rule::IncompatibleParticipant(participant, action));
            assert_eq!(act(&not_allowed).0, refused, "{status:?} {action:?}");
            let (outcome, invitation) = act(&allowed);
            if status == ConnectionInvitationStatus::Pending {
                assert_eq!(outcome, Ok(after));
                assert_eq!((invitation.status(), invitation.revision()), (after, 2));
            } else {
                assert_eq!(outcome, Err(Rule::IncompatibleInvitationStatus(status, action)));
            }
        }
        let (mut invitation, _) = invitation_in_status(status);
        let end = invitation.expire_time();
        let is_open = matches!(
            status,
            ConnectionInvitationStatus::Pending | ConnectionInvitationStatus::Expired
        );
        assert_eq!(invitation.expire(end - TimeDelta::milliseconds(1)), None);
        assert_eq!(invitation.expire(end).is_some(), is_open, "{status:?}");
        assert_eq!(invitation.expire(end), None, "an invitation must expire once");
        assert!(!is_open || invitation.status() == ConnectionInvitationStatus::Expired);
    }
}

#[test]
fn con_010_invitation_cannot_be_accepted_at_its_expire_time() {
    let mut invitation = pending_invitation();
    let end = invitation.expire_time();
    assert_eq!(end, now() + TimeDelta::days(30));
    let late = invitation.accept(&second_account(), connection_id(), NO_LINKS, end);
    assert_eq!(
        late.err(),
        Some(Rule::IncompatibleInvitationStatus(
            ConnectionInvitationStatus::Expired,
            AttemptedAction::Accept
        ))
    );
    assert_eq!(invitation.status_at(end), ConnectionInvitationStatus::Expired);
    let early = end - TimeDelta::milliseconds(1);
    assert_eq!(invitation.status_at(early), ConnectionInvitationStatus::Pending);
    assert!(
        invitation
            .accept(&second_account(), connection_id(), NO_LINKS, early)
            .is_ok()
    );
}

#[test]
fn con_004_con_020_021_connection_ends_when_last_type_is_canceled() {
    use ConnectionType::{OpportunityCollaboration, Subsidiary};
    let mut connection = active_connection(OpportunityCollaboration);
    assert_eq!(
        connection.counterparty(&first_account()).account,
        second_account()
    );
    assert_eq!(
        connection.counterparty(&second_account()).account,
        first_account()
    );
    let again = connection.add_type(&pending_invitation(), now());
    assert_eq!(again.err(), Some(Rule::DuplicateConnection(connection_id())));
    let other_type = Invitation::send(
        invitation_id(),
        &account('2', true),
        &account('1', true),
        details(Subsidiary),
        &ConnectionContext::default(),
        &QUOTAS,
        now(),
    );
    connection
        .add_type(&other_type.expect("an invitation").0, now())
        .expect("another connection type");
    assert_eq!(
        connection
            .cancel(OpportunityCollaboration, &second_account(), "done".into(), now())
            .map(|event| event.1),
        Ok(ConnectionStatus::Canceled)
    );
    assert_eq!(
        connection.status(),
        ConnectionStatus::Active,
        "the other type must stay active"
    );
    assert_eq!(
        connection.canceled_by(OpportunityCollaboration),
        Some(&second_account())
    );
    let canceled_again = connection.cancel(OpportunityCollaboration, &first_account(), "done".into(), now());
    assert_eq!(canceled_again.err(), Some(Rule::ConnectionTypeNotActive));
    connection
        .cancel(Subsidiary, &first_account(), "done".into(), now())
        .expect("a cancellation");
    assert_eq!(
        (connection.status(), connection.revision()),
        (ConnectionStatus::Canceled, 4)
    );
}

#[test]
fn con_040_connection_is_refused_if_either_account_is_at_its_limit() {
    let invitation = pending_invitation();
    let establish = |active_counts| {
        Connection::establish(connection_id(), &invitation, active_counts, &QUOTAS, now()).err()
    };
    assert_eq!(establish([1, 1]), None);
    for active_counts in [[2, 0], [0, 2]] {
        assert_eq!(
            establish(active_counts),
            Some(Rule::LimitExceeded(Limit::ActiveConnections, 2))
        );
    }
}

#[test]
fn con_030_preferences_are_replaced_as_a_whole() {
    let preferences = Preferences::default();
    let excluded_profiles = BTreeSet::from([profile_id('3')]);
    let deny_some = AccessType::AllowByDefaultDenySome;
    for (access, excluded) in [
        (deny_some, BTreeSet::new()),
        (AccessType::AllowAll, excluded_profiles.clone()),
    ] {
        let invalid = preferences.replaced_with(access, excluded, now());
        assert!(matches!(invalid, Err(Rule::Invalid(_))), "{invalid:?}");
    }
    let next = preferences
        .replaced_with(deny_some, excluded_profiles, now())
        .expect("preferences");
    assert_eq!((next.revision, next.update_time), (2, Some(now())));
    assert!(next.admits(&profile_id('1')) && !next.admits(&profile_id('3')));
}

proptest! {
    /// For any sequence of actions by both accounts at any time: an invitation reaches one final status, and after its
    /// expiry only EXPIRED.
    #[test]
    fn con_010_invitation_reaches_one_final_status_in_any_sequence(
        steps in prop::collection::vec((0..4_u8, any::<bool>(), 0..40_i64), 1..20)
    ) {
        let mut invitation = pending_invitation();
        let mut days = 0;
        for (step, is_sender, passed) in steps {
            days += passed;
            let at = now() + TimeDelta::days(days);
            let by = if is_sender { first_account() } else { second_account() };
            let before = invitation.clone();
            let changed = match step {
                0 => invitation.accept(&by, connection_id(), NO_LINKS, at).is_ok(),
                1 => invitation.reject(&by, "".into(), at).is_ok(),
                2 => invitation.cancel(&by, at).is_ok(),
                _ => invitation.expire(at).is_some(),
            };
            if changed {
                prop_assert_eq!(before.status(), ConnectionInvitationStatus::Pending);
                prop_assert_eq!(invitation.status() == ConnectionInvitationStatus::Expired, days >= 30);
                let is_accepted = invitation.status() == ConnectionInvitationStatus::Accepted;
                prop_assert_eq!(invitation.connection().is_some(), is_accepted);
            } else {
                prop_assert_eq!(&invitation, &before);
            }
        }
    }
}
