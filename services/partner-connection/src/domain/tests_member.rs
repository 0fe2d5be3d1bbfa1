//! Covers members and their roles: status transitions, grantable roles, role limits, transfer of the alliance lead
//! role, e-mail addresses and domains, provisioning, and random sequences (DIR-010 to DIR-013, DIR-050).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cosell_types::{ClosedList as _, MemberId, Role, Side};
use proptest::prelude::*;

use super::values::{MemberStatus, PartnerTier};
use super::{
    AttemptedAction, Limit, Member, MemberEvent, MemberFacts, Person, Quotas, Roster, Rule, is_reserved_id,
};

pub(super) const QUOTAS: Quotas = Quotas {
    emails_per_day: 5,
    connection_tier: PartnerTier::Registered,
    invitations_per_day: 2,
    open_invitations: 3,
    active_connections: 2,
    profile_updates_per_day: 2,
    visibility_updates_per_day: 1,
    email_domains: 3,
    invitation_days: 30,
};

pub(super) fn now() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().expect("a time")
}

fn id(text: &str) -> MemberId {
    text.parse().expect("a member id")
}

fn role_set(roles: &[Role]) -> BTreeSet<Role> {
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
        roles: role_set(roles),
        person: person("jane@alder.example"),
    };
    let account = "111111111111".parse().expect("an account");
    let registered = Member::register(
        id("jane"),
        account,
        Side::Partner,
        facts,
        &Roster::default(),
        &QUOTAS,
        now(),
    );
    registered.expect("a member").0
}

fn invite(roles: &[Role], actor: &[Role], roster: &Roster) -> Result<(Member, MemberEvent), Rule> {
    Member::invite(
        id("new"),
        "111111111111".parse().expect("an account"),
        Side::Partner,
        person("new@alder.example"),
        role_set(roles),
        &role_set(actor),
        roster,
        &QUOTAS,
        now(),
    )
}

fn roster_with(role: Role, count: usize) -> Roster {
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

/// Applies every action in every status, and checks the status after it or the refusal.
#[test]
fn dir_010_member_in_each_status_allows_only_listed_actions() {
    use MemberStatus::{Active, Deactivated, Invited};
    for (status, joined, is_changeable) in [
        (Invited, Some(Active), true),
        (Active, None, true),
        (Deactivated, None, false),
    ] {
        let mut subject = member(status, &[Role::AceUser]);
        let event = subject.join(now());
        assert_eq!(event, joined.map(|_| MemberEvent::Joined), "{status:?}");
        assert_eq!(subject.facts().status, joined.unwrap_or(status));
        assert_eq!(subject.revision(), if joined.is_some() { 2 } else { 1 });

        let alliance_lead = role_set(&[Role::AllianceLead]);
        let mut subject = member(status, &[Role::AceUser]);
        let before = subject.clone();
        let outcomes = [
            (
                subject.deactivate(&alliance_lead, now()).map(Some),
                AttemptedAction::Deactivate,
            ),
            (
                member(status, &[]).update_details(
                    person("other@alder.example"),
                    &Roster::default(),
                    &QUOTAS,
                    now(),
                ),
                AttemptedAction::Update,
            ),
            (
                member(status, &[]).set_roles(
                    role_set(&[Role::AceManager]),
                    &alliance_lead,
                    &Roster::default(),
                    now(),
                ),
                AttemptedAction::SetRoles,
            ),
        ];
        for (outcome, action) in outcomes {
            if is_changeable {
                assert!(outcome.is_ok(), "{status:?} {action:?}: {outcome:?}");
            } else {
                assert_eq!(outcome, Err(Rule::IncompatibleMemberStatus(status, action)));
            }
        }
        if is_changeable {
            assert_eq!((subject.facts().status, subject.revision()), (Deactivated, 2));
        } else {
            assert_eq!(subject, before, "a refused call must not change the member");
        }
    }
}

/// Combines every administrator role with every role: a role can be withdrawn by exactly those who can grant it.
#[test]
fn dir_012_administrator_grants_and_withdraws_only_permitted_roles() {
    let administrators = [Role::AllianceLead, Role::AllianceTeam, Role::CloudAdmin];
    for actor in administrators {
        for &role in Role::ALL {
            let grantable_by_team = [
                Role::AceManager,
                Role::AceUser,
                Role::MarketingStaff,
                Role::TechnicalStaff,
                Role::ChannelUser,
                Role::StandardUser,
            ];
            let is_grantable = match actor {
                Role::AllianceLead => role != Role::AllianceLead,
                _ => grantable_by_team.contains(&role),
            };
            let invited = invite(&[role], &[actor], &Roster::default());
            match role.side() {
                Side::Aws => assert!(matches!(invited, Err(Rule::Invalid(_))), "{role}: {invited:?}"),
                Side::Partner if is_grantable => {
                    assert!(invited.is_ok(), "{actor} grants {role}: {invited:?}")
                }
                Side::Partner => assert_eq!(invited.err(), Some(Rule::NotGrantable(vec![role])), "{actor}"),
            }
            if role.side() == Side::Partner && role != Role::AllianceLead {
                let mut holder = member(MemberStatus::Active, &[role]);
                let withdrawn =
                    holder.set_roles(role_set(&[]), &role_set(&[actor]), &Roster::default(), now());
                assert_eq!(withdrawn.is_ok(), is_grantable, "{actor} withdraws {role}");
                let deactivated =
                    member(MemberStatus::Active, &[role]).deactivate(&role_set(&[actor]), now());
                assert_eq!(
                    deactivated.is_ok(),
                    is_grantable,
                    "{actor} deactivates a member with {role}"
                );
            }
        }
    }
}

#[test]
fn dir_011_role_limit_is_enforced_for_alliance_team_and_ace_manager() {
    let alliance_lead = [Role::AllianceLead];
    for role in [Role::AllianceTeam, Role::AceManager] {
        assert!(invite(&[role], &alliance_lead, &roster_with(role, 19)).is_ok());
        let full = invite(&[role], &alliance_lead, &roster_with(role, 20));
        assert_eq!(full.err(), Some(Rule::RoleLimit(role, 20)));
        let mut subject = member(MemberStatus::Active, &[Role::AceUser]);
        let granted = subject.set_roles(
            role_set(&[role]),
            &role_set(&alliance_lead),
            &roster_with(role, 20),
            now(),
        );
        assert_eq!(granted, Err(Rule::RoleLimit(role, 20)));
        // A member that already has the role does not count again.
        let mut subject = member(MemberStatus::Active, &[role]);
        let unchanged = subject.set_roles(
            role_set(&[role, Role::AceUser]),
            &role_set(&alliance_lead),
            &roster_with(role, 20),
            now(),
        );
        assert!(unchanged.is_ok());
    }
    assert!(invite(&[Role::AceUser], &alliance_lead, &roster_with(Role::AceUser, 500)).is_ok());
}

#[test]
fn dir_011_alliance_lead_keeps_its_role_until_transfer() {
    let actor = role_set(&[Role::AllianceLead]);
    let mut alliance_lead = member(MemberStatus::Active, &[Role::AllianceLead]);
    let empty = Roster::default();
    assert_eq!(
        alliance_lead.set_roles(role_set(&[]), &actor, &empty, now()),
        Err(Rule::AllianceLeadRequired)
    );
    assert_eq!(
        alliance_lead.deactivate(&actor, now()),
        Err(Rule::AllianceLeadRequired)
    );

    let facts = |status, roles: &[Role]| MemberFacts {
        status,
        roles: role_set(roles),
        person: person("successor@alder.example"),
    };
    let account = "111111111111".parse().expect("an account");
    let successor_in = |status| {
        let facts = facts(status, &[Role::AllianceTeam, Role::AceUser]);
        Member::register(
            id("successor"),
            "111111111111".parse().expect("an account"),
            Side::Partner,
            facts,
            &empty,
            &QUOTAS,
            now(),
        )
        .expect("a member")
        .0
    };
    for status in [MemberStatus::Invited, MemberStatus::Deactivated] {
        let refused = successor_in(status).become_alliance_lead(&mut alliance_lead, &empty, now());
        assert_eq!(
            refused,
            Err(Rule::IncompatibleMemberStatus(
                status,
                AttemptedAction::TransferAllianceLead
            ))
        );
    }
    let full = successor_in(MemberStatus::Active).become_alliance_lead(
        &mut alliance_lead,
        &roster_with(Role::AllianceTeam, 20),
        now(),
    );
    assert_eq!(full, Err(Rule::RoleLimit(Role::AllianceTeam, 20)));
    assert_eq!(
        alliance_lead.revision(),
        1,
        "a refused call must not change the member"
    );

    let mut successor = successor_in(MemberStatus::Active);
    successor
        .become_alliance_lead(&mut alliance_lead, &roster_with(Role::AllianceTeam, 19), now())
        .expect("a new alliance lead");
    assert_eq!(
        successor.facts().roles,
        role_set(&[Role::AllianceLead, Role::AceUser])
    );
    assert_eq!(alliance_lead.facts().roles, role_set(&[Role::AllianceTeam]));
    assert_eq!((successor.revision(), alliance_lead.revision()), (2, 2));

    let second = Member::register(
        id("second"),
        account,
        Side::Partner,
        facts(MemberStatus::Active, &[Role::AllianceLead]),
        &roster_with(Role::AllianceLead, 1),
        &QUOTAS,
        now(),
    );
    assert_eq!(second.err(), Some(Rule::RoleLimit(Role::AllianceLead, 1)));
}

#[test]
fn dir_013_duplicate_address_and_excess_domain_are_refused() {
    let alliance_lead = [Role::AllianceLead];
    let mut roster = Roster::default();
    roster.add(id("m0"), [], "new@alder.example".into());
    let duplicate = invite(&[], &alliance_lead, &roster);
    assert_eq!(duplicate.err(), Some(Rule::DuplicateMember("person.email")));

    let mut roster = Roster::default();
    for domain in ["a.example", "b.example"] {
        roster.add(id(domain), [], format!("m@{domain}").as_str().into());
    }
    assert!(invite(&[], &alliance_lead, &roster).is_ok(), "a third domain");
    roster.add(id("c"), [], "m@c.example".into());
    assert_eq!(
        invite(&[], &alliance_lead, &roster).err(),
        Some(Rule::LimitExceeded(Limit::EmailDomains, 3))
    );
    roster.add(id("d"), [], "other@alder.example".into());
    assert!(
        invite(&[], &alliance_lead, &roster).is_ok(),
        "a known domain must not count again"
    );

    let mut subject = member(MemberStatus::Active, &[]);
    let mut own = Roster::default();
    own.add(id("jane"), [], "jane@alder.example".into());
    let unchanged = subject.update_details(person("jane@alder.example"), &own, &QUOTAS, now());
    assert_eq!(
        unchanged,
        Ok(None),
        "unchanged details must not change the member"
    );
}

#[test]
fn dir_050_member_record_is_applied_once() {
    let mut subject = member(MemberStatus::Active, &[Role::AceUser]);
    let same = subject.provision_next_change(&subject.facts().clone(), &Roster::default(), &QUOTAS, now());
    assert_eq!((same, subject.revision()), (Ok(None), 1));
    let mut facts = subject.facts().clone();
    facts.status = MemberStatus::Deactivated;
    let deactivated = subject.provision_next_change(&facts, &Roster::default(), &QUOTAS, now());
    assert_eq!(
        (deactivated, subject.revision()),
        (Ok(Some(MemberEvent::Deactivated)), 2)
    );
    facts.status = MemberStatus::Active;
    facts.roles = role_set(&[Role::Reviewer]);
    let invalid = subject.provision_next_change(&facts, &Roster::default(), &QUOTAS, now());
    assert!(matches!(invalid, Err(Rule::Invalid(_))), "{invalid:?}");
    assert_eq!(subject.revision(), 2, "a refused call must not change the member");
}

/// A record that changes several facts causes one event for each of them.
#[test]
fn dir_050_member_record_with_several_changes_causes_an_event_each() {
    let provision_all = |subject: &mut Member, facts: &MemberFacts| {
        let mut events = Vec::new();
        while let Some(event) = subject
            .provision_next_change(facts, &Roster::default(), &QUOTAS, now())
            .expect("a valid record")
        {
            events.push(event);
        }
        assert_eq!(subject.facts(), facts);
        events
    };
    let mut subject = member(MemberStatus::Active, &[Role::AceUser]);
    let active = subject.facts().clone();
    let left = MemberFacts {
        status: MemberStatus::Deactivated,
        roles: role_set(&[Role::AceManager]),
        person: person("other@alder.example"),
    };
    let events_when_leaving = [
        MemberEvent::Deactivated,
        MemberEvent::DetailsChanged,
        MemberEvent::RolesChanged,
    ];
    assert_eq!(provision_all(&mut subject, &left), events_when_leaving);
    let events_when_returning = [
        MemberEvent::DetailsChanged,
        MemberEvent::RolesChanged,
        MemberEvent::Reinstated,
    ];
    assert_eq!(provision_all(&mut subject, &active), events_when_returning);
    assert_eq!(subject.revision(), 7);
}

fn random_roles() -> impl Strategy<Value = BTreeSet<Role>> {
    prop::collection::btree_set(prop::sample::select(Role::ALL), 0..4)
}

proptest! {
    /// For any sequence of calls: a refused call changes nothing, each change increments the revision by one, and the
    /// alliance lead keeps its role.
    #[test]
    fn dir_010_011_012_member_invariants_hold_for_any_call_sequence(
        steps in prop::collection::vec((0..4_u8, random_roles(), random_roles()), 1..20)
    ) {
        let mut subject = member(MemberStatus::Invited, &[Role::AllianceLead]);
        for (step, roles, actor) in steps {
            let before = subject.clone();
            let outcome = match step {
                0 => Ok(subject.join(now())),
                1 => subject.set_roles(roles, &actor, &Roster::default(), now()),
                2 => subject.deactivate(&actor, now()).map(Some),
                _ => subject.update_details(person("x@y.example"), &Roster::default(), &QUOTAS, now()),
            };
            match outcome {
                Ok(Some(_)) => prop_assert_eq!(subject.revision(), before.revision() + 1),
                Ok(None) | Err(_) => prop_assert_eq!(&subject, &before),
            }
            prop_assert!(subject.facts().roles.contains(&Role::AllianceLead));
            prop_assert!(subject.facts().roles.iter().all(|role| role.side() == Side::Partner));
        }
    }
}

#[test]
fn dir_011_013_roster_removal_frees_only_what_was_counted() {
    let mut roster = roster_with(Role::AceManager, 20);
    for _ in 0..2 {
        roster.remove(&id("m0"));
        roster.remove(&id("unknown-member"));
    }
    let alliance_lead = [Role::AllianceLead];
    assert!(
        invite(&[Role::AceManager], &alliance_lead, &roster).is_ok(),
        "one more member must fit"
    );
    roster.add(id("m20"), [Role::AceManager], "m20@alder.example".into());
    assert!(
        invite(&[Role::AceManager], &alliance_lead, &roster).is_err(),
        "a second member must not fit"
    );
}

#[test]
fn dir_013_reserved_ids_are_refused_for_members() {
    let account = "111111111111".parse().expect("an account");
    for reserved in [
        "111111111111",
        "pac-0000000000000",
        "pacinv-0000000000000",
        "pprofile-0000000000000",
    ] {
        assert!(is_reserved_id(&id(reserved), &account), "{reserved}");
    }
    for allowed in ["222222222222", "pac-1", "mem-0000000000000"] {
        assert!(!is_reserved_id(&id(allowed), &account), "{allowed}");
    }
}

#[test]
fn acc_013_option_changes_only_marketing_staff_and_ends_with_its_role() {
    let mut user = member(MemberStatus::Active, &[Role::AceUser]);
    assert_eq!(user.apply_marketing_option(true, now()), None);
    assert!(!user.sees_all_opportunities());
    let mut marketer = member(MemberStatus::Active, &[Role::MarketingStaff]);
    let changed = Some(MemberEvent::VisibilityChanged);
    assert_eq!(marketer.apply_marketing_option(true, now()), changed);
    assert_eq!(marketer.apply_marketing_option(true, now()), None);
    assert!(marketer.sees_all_opportunities());
    let lead = role_set(&[Role::AllianceLead]);
    for roles in [[Role::AceUser], [Role::MarketingStaff]] {
        marketer
            .set_roles(role_set(&roles), &lead, &Roster::default(), now())
            .expect("other roles");
        assert!(!marketer.sees_all_opportunities(), "{roles:?}");
    }
}
