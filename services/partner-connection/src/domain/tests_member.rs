//! Members and their roles (DIR-010 to DIR-013, DIR-050).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cosell_types::{ClosedList as _, MemberId, Role, Side};
use proptest::prelude::*;

use super::values::{MemberStatus, PartnerTier};
use super::{Action, Limit, Member, MemberEvent, MemberFacts, Person, Quotas, Roster, Rule, is_reserved};

pub(super) const QUOTAS: Quotas = Quotas {
    emails_per_day: 5,
    connection_tier: PartnerTier::Registered,
    invitations_per_day: 2,
    open_invitations: 3,
    active_connections: 2,
    profile_updates_per_day: 2,
    visibility_updates_per_day: 1,
    domains: 3,
    invitation_days: 30,
};

pub(super) fn now() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().expect("a time")
}

fn id(text: &str) -> MemberId {
    text.parse().expect("a member id")
}

fn set(roles: &[Role]) -> BTreeSet<Role> {
    roles.iter().copied().collect()
}

fn person(email: &str) -> Person {
    Person {
        first_name: "Jane".into(),
        last_name: "Roe".into(),
        email: email.into(),
        title: "".into(),
        phone: "".into(),
    }
}

fn member(status: MemberStatus, roles: &[Role]) -> Member {
    let facts = MemberFacts {
        status,
        roles: set(roles),
        person: person("jane@alder.example"),
    };
    let account = "111111111111".parse().expect("an account");
    let made = Member::register(
        id("jane"),
        account,
        Side::Partner,
        facts,
        &Roster::default(),
        &QUOTAS,
        now(),
    );
    made.expect("a member").0
}

fn invite(roles: &[Role], actor: &[Role], roster: &Roster) -> Result<(Member, MemberEvent), Rule> {
    Member::invite(
        id("new"),
        "111111111111".parse().expect("an account"),
        Side::Partner,
        person("new@alder.example"),
        set(roles),
        &set(actor),
        roster,
        &QUOTAS,
        now(),
    )
}

fn holders(role: Role, count: usize) -> Roster {
    let mut roster = Roster::default();
    for number in 0..count {
        roster.add(
            id(&format!("m{number}")),
            [role],
            format!("m{number}@alder.example").as_str().into(),
        );
    }
    roster
}

/// Rows are statuses, columns what is asked; a cell is the status after it, or why not.
#[test]
fn dir_010_every_status_and_every_action() {
    use MemberStatus::{Active, Deactivated, Invited};
    for (status, joined, deactivated) in [
        (Invited, Some(Active), true),
        (Active, None, true),
        (Deactivated, None, false),
    ] {
        let mut one = member(status, &[Role::AceUser]);
        let event = one.join(now());
        assert_eq!(event, joined.map(|_| MemberEvent::Joined), "{status:?}");
        assert_eq!(one.facts().status, joined.unwrap_or(status));
        assert_eq!(one.revision(), if joined.is_some() { 2 } else { 1 });

        let lead = set(&[Role::AllianceLead]);
        let mut one = member(status, &[Role::AceUser]);
        let before = one.clone();
        let outcomes = [
            (one.deactivate(&lead, now()).map(Some), Action::Deactivate),
            (
                member(status, &[]).describe(
                    person("other@alder.example"),
                    &Roster::default(),
                    &QUOTAS,
                    now(),
                ),
                Action::Update,
            ),
            (
                member(status, &[]).set_roles(set(&[Role::AceManager]), &lead, &Roster::default(), now()),
                Action::SetRoles,
            ),
        ];
        for (outcome, action) in outcomes {
            if deactivated {
                assert!(outcome.is_ok(), "{status:?} {action:?}: {outcome:?}");
            } else {
                assert_eq!(outcome, Err(Rule::MemberStatus(status, action)));
            }
        }
        if deactivated {
            assert_eq!((one.facts().status, one.revision()), (Deactivated, 2));
        } else {
            assert_eq!(one, before, "what is refused changes nothing");
        }
    }
}

/// Whoever may grant a role may withdraw it and nobody else may; every actor by every role.
#[test]
fn dir_012_every_actor_and_every_role() {
    let administrators = [Role::AllianceLead, Role::AllianceTeam, Role::CloudAdmin];
    for actor in administrators {
        for &role in Role::ALL {
            let by_team = [
                Role::AceManager,
                Role::AceUser,
                Role::MarketingStaff,
                Role::TechnicalStaff,
                Role::ChannelUser,
                Role::StandardUser,
            ];
            let may = match actor {
                Role::AllianceLead => role != Role::AllianceLead,
                _ => by_team.contains(&role),
            };
            let invited = invite(&[role], &[actor], &Roster::default());
            match role.side() {
                Side::Aws => assert!(matches!(invited, Err(Rule::Invalid(_))), "{role}: {invited:?}"),
                Side::Partner if may => assert!(invited.is_ok(), "{actor} grants {role}: {invited:?}"),
                Side::Partner => assert_eq!(invited.err(), Some(Rule::NotGrantable(vec![role])), "{actor}"),
            }
            if role.side() == Side::Partner && role != Role::AllianceLead {
                let mut holder = member(MemberStatus::Active, &[role]);
                let withdrawn = holder.set_roles(set(&[]), &set(&[actor]), &Roster::default(), now());
                assert_eq!(withdrawn.is_ok(), may, "{actor} withdraws {role}");
                let ended = member(MemberStatus::Active, &[role]).deactivate(&set(&[actor]), now());
                assert_eq!(ended.is_ok(), may, "{actor} ends a membership with {role}");
            }
        }
    }
}

#[test]
fn dir_011_some_roles_have_a_limit() {
    let lead = [Role::AllianceLead];
    for role in [Role::AllianceTeam, Role::AceManager] {
        assert!(invite(&[role], &lead, &holders(role, 19)).is_ok());
        let full = invite(&[role], &lead, &holders(role, 20));
        assert_eq!(full.err(), Some(Rule::RoleLimit(role, 20)));
        let mut one = member(MemberStatus::Active, &[Role::AceUser]);
        let raised = one.set_roles(set(&[role]), &set(&lead), &holders(role, 20), now());
        assert_eq!(raised, Err(Rule::RoleLimit(role, 20)));
        // Who holds it already needs no room.
        let mut one = member(MemberStatus::Active, &[role]);
        let kept = one.set_roles(
            set(&[role, Role::AceUser]),
            &set(&lead),
            &holders(role, 20),
            now(),
        );
        assert!(kept.is_ok());
    }
    assert!(invite(&[Role::AceUser], &lead, &holders(Role::AceUser, 500)).is_ok());
}

#[test]
fn dir_011_the_lead_stays_until_it_hands_over() {
    let actor = set(&[Role::AllianceLead]);
    let mut lead = member(MemberStatus::Active, &[Role::AllianceLead]);
    let none = Roster::default();
    assert_eq!(
        lead.set_roles(set(&[]), &actor, &none, now()),
        Err(Rule::LeadRequired)
    );
    assert_eq!(lead.deactivate(&actor, now()), Err(Rule::LeadRequired));

    let facts = |status, roles: &[Role]| MemberFacts {
        status,
        roles: set(roles),
        person: person("heir@alder.example"),
    };
    let account = "111111111111".parse().expect("an account");
    let heir = |status| {
        let facts = facts(status, &[Role::AllianceTeam, Role::AceUser]);
        Member::register(
            id("heir"),
            "111111111111".parse().expect("an account"),
            Side::Partner,
            facts,
            &none,
            &QUOTAS,
            now(),
        )
        .expect("a member")
        .0
    };
    for status in [MemberStatus::Invited, MemberStatus::Deactivated] {
        let refused = heir(status).succeed(&mut lead, &none, now());
        assert_eq!(
            refused,
            Err(Rule::MemberStatus(status, Action::TransferAllianceLead))
        );
    }
    let full = heir(MemberStatus::Active).succeed(&mut lead, &holders(Role::AllianceTeam, 20), now());
    assert_eq!(full, Err(Rule::RoleLimit(Role::AllianceTeam, 20)));
    assert_eq!(lead.revision(), 1, "what is refused changes nothing");

    let mut heir = heir(MemberStatus::Active);
    heir.succeed(&mut lead, &holders(Role::AllianceTeam, 19), now())
        .expect("a new lead");
    assert_eq!(heir.facts().roles, set(&[Role::AllianceLead, Role::AceUser]));
    assert_eq!(lead.facts().roles, set(&[Role::AllianceTeam]));
    assert_eq!((heir.revision(), lead.revision()), (2, 2));

    let second = Member::register(
        id("second"),
        account,
        Side::Partner,
        facts(MemberStatus::Active, &[Role::AllianceLead]),
        &holders(Role::AllianceLead, 1),
        &QUOTAS,
        now(),
    );
    assert_eq!(second.err(), Some(Rule::RoleLimit(Role::AllianceLead, 1)));
}

#[test]
fn dir_013_one_address_one_member_and_not_too_many_domains() {
    let lead = [Role::AllianceLead];
    let mut roster = Roster::default();
    roster.add(id("m0"), [], "new@alder.example".into());
    let taken = invite(&[], &lead, &roster);
    assert_eq!(taken.err(), Some(Rule::DuplicateMember("person.email")));

    let mut roster = Roster::default();
    for domain in ["a.example", "b.example"] {
        roster.add(id(domain), [], format!("m@{domain}").as_str().into());
    }
    assert!(invite(&[], &lead, &roster).is_ok(), "a third domain");
    roster.add(id("c"), [], "m@c.example".into());
    assert_eq!(
        invite(&[], &lead, &roster).err(),
        Some(Rule::LimitExceeded(Limit::Domains, 3))
    );
    roster.add(id("d"), [], "other@alder.example".into());
    assert!(
        invite(&[], &lead, &roster).is_ok(),
        "a domain that is there already"
    );

    let mut one = member(MemberStatus::Active, &[]);
    let mut own = Roster::default();
    own.add(id("jane"), [], "jane@alder.example".into());
    let kept = one.describe(person("jane@alder.example"), &own, &QUOTAS, now());
    assert_eq!(kept, Ok(None), "the same is no change");
}

#[test]
fn dir_050_the_master_list_makes_it_as_it_says_once() {
    let mut one = member(MemberStatus::Active, &[Role::AceUser]);
    let same = one.provision(&one.facts().clone(), &Roster::default(), &QUOTAS, now());
    assert_eq!((same, one.revision()), (Ok(None), 1));
    let mut facts = one.facts().clone();
    facts.status = MemberStatus::Deactivated;
    let ended = one.provision(&facts, &Roster::default(), &QUOTAS, now());
    assert_eq!((ended, one.revision()), (Ok(Some(MemberEvent::Deactivated)), 2));
    facts.status = MemberStatus::Active;
    facts.roles = set(&[Role::Reviewer]);
    let wrong = one.provision(&facts, &Roster::default(), &QUOTAS, now());
    assert!(matches!(wrong, Err(Rule::Invalid(_))), "{wrong:?}");
    assert_eq!(one.revision(), 2, "what is refused changes nothing");
}

/// Whoever reads the events learns each thing that happened, though the list said all of it in one record.
#[test]
fn dir_050_each_thing_that_the_master_list_changes_is_an_event() {
    let steps_to = |one: &mut Member, facts: &MemberFacts| {
        let mut events = Vec::new();
        while let Some(event) = one
            .provision(facts, &Roster::default(), &QUOTAS, now())
            .expect("a step")
        {
            events.push(event);
        }
        assert_eq!(one.facts(), facts);
        events
    };
    let mut one = member(MemberStatus::Active, &[Role::AceUser]);
    let active = one.facts().clone();
    let gone = MemberFacts {
        status: MemberStatus::Deactivated,
        roles: set(&[Role::AceManager]),
        person: person("other@alder.example"),
    };
    let leaving = [
        MemberEvent::Deactivated,
        MemberEvent::DetailsChanged,
        MemberEvent::RolesChanged,
    ];
    assert_eq!(steps_to(&mut one, &gone), leaving);
    let coming = [
        MemberEvent::DetailsChanged,
        MemberEvent::RolesChanged,
        MemberEvent::Reinstated,
    ];
    assert_eq!(steps_to(&mut one, &active), coming);
    assert_eq!(one.revision(), 7);
}

fn roles() -> impl Strategy<Value = BTreeSet<Role>> {
    prop::collection::btree_set(prop::sample::select(Role::ALL), 0..4)
}

proptest! {
    /// Whatever is asked, in whatever order: what is refused changes nothing, what changes counts one revision, and a
    /// lead never loses its role.
    #[test]
    fn dir_010_011_012_any_sequence(asked in prop::collection::vec((0..4_u8, roles(), roles()), 1..20)) {
        let mut one = member(MemberStatus::Invited, &[Role::AllianceLead]);
        for (what, roles, actor) in asked {
            let before = one.clone();
            let outcome = match what {
                0 => Ok(one.join(now())),
                1 => one.set_roles(roles, &actor, &Roster::default(), now()),
                2 => one.deactivate(&actor, now()).map(Some),
                _ => one.describe(person("x@y.example"), &Roster::default(), &QUOTAS, now()),
            };
            match outcome {
                Ok(Some(_)) => prop_assert_eq!(one.revision(), before.revision() + 1),
                Ok(None) | Err(_) => prop_assert_eq!(&one, &before),
            }
            prop_assert!(one.facts().roles.contains(&Role::AllianceLead));
            prop_assert!(one.facts().roles.iter().all(|role| role.side() == Side::Partner));
        }
    }
}

#[test]
fn dir_011_013_a_roster_forgets_exactly_what_it_counted() {
    let mut roster = holders(Role::AceManager, 20);
    for _ in 0..2 {
        roster.remove(&id("m0"));
        roster.remove(&id("somebody-else"));
    }
    let lead = [Role::AllianceLead];
    assert!(
        invite(&[Role::AceManager], &lead, &roster).is_ok(),
        "there is room for one"
    );
    roster.add(id("m20"), [Role::AceManager], "m20@alder.example".into());
    assert!(
        invite(&[Role::AceManager], &lead, &roster).is_err(),
        "and for one only"
    );
}

#[test]
fn dir_013_some_ids_are_not_for_members() {
    let account = "111111111111".parse().expect("an account");
    for reserved in [
        "111111111111",
        "pac-0000000000000",
        "pacinv-0000000000000",
        "pprofile-0000000000000",
    ] {
        assert!(is_reserved(&id(reserved), &account), "{reserved}");
    }
    for fine in ["222222222222", "pac-1", "mem-0000000000000"] {
        assert!(!is_reserved(&id(fine), &account), "{fine}");
    }
}
