//! Covers access to the RPCs: every role and every service with every action (ACC-010, ACC-013, REF-040, REF-055,
//! REF-057).

use cosell_types::{Caller, ClosedList as _, Member, Role, Side};

use super::access::{Action, permits};
use super::tests_offer::member;

const ACTIONS: [Action; 5] = [
    Action::Refer,
    Action::Answer,
    Action::Lead,
    Action::ReadContent,
    Action::ReadForAccount,
];

/// Columns as in `ACTIONS`.
const TABLE: &str = "
                      refer answer lead read-content read-for-account
ALLIANCE_LEAD         .     x      x    .            .
ALLIANCE_TEAM         .     x      x    .            .
ACE_MANAGER           .     x      x    .            .
ACE_USER              .     .      x    .            .
MARKETING_STAFF       .     .      x    .            .
TECHNICAL_STAFF       .     .      x    .            .
CLOUD_ADMIN           .     .      .    .            .
CHANNEL_USER          .     .      .    .            .
STANDARD_USER         .     .      .    .            .
REVIEWER              .     .      .    .            .
SALES_REPRESENTATIVE  x     .      .    .            .
ACCOUNT_OWNER         x     .      .    .            .
PDM                   x     .      .    .            .
WWPS_PDM              x     .      .    .            .
PSM                   x     .      .    .            .
ISV_SUCCESS_MANAGER   x     .      .    .            .
";

fn member_of(side: Side, roles: &[Role], sees_all_opportunities: bool) -> Member {
    Member {
        id: member("mem-caller"),
        account: "111111111111".parse().expect("an account"),
        side,
        roles: roles.to_vec(),
        sees_all_opportunities,
    }
}

fn permitted(caller: &Caller) -> Vec<Action> {
    ACTIONS
        .into_iter()
        .filter(|action| permits(caller, *action))
        .collect()
}

#[test]
fn acc_010_ref_040_055_role_table_covers_every_action() {
    let rows: Vec<Vec<&str>> = TABLE
        .trim_matches('\n')
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), Role::ALL.len());
    for (role, row) in Role::ALL.iter().copied().zip(rows) {
        assert_eq!(row[0], role.name());
        let caller = Caller::Member(member_of(role.side(), &[role], false));
        for (action, cell) in ACTIONS.into_iter().zip(&row[1..]) {
            assert_eq!(permits(&caller, action), *cell == "x", "{role} {action:?}");
        }
        // A role grants nothing on the opposite side.
        let other_side = match role.side() {
            Side::Partner => Side::Aws,
            Side::Aws => Side::Partner,
        };
        let other_side = Caller::Member(member_of(other_side, &[role], false));
        assert_eq!(permitted(&other_side), [], "{role}");
    }
    assert_eq!(
        permitted(&Caller::Member(member_of(Side::Partner, &[], false))),
        []
    );
    let both = member_of(Side::Partner, &[Role::MarketingStaff, Role::AceManager], false);
    assert!(
        permits(&Caller::Member(both), Action::Answer),
        "the widest role must apply"
    );
}

/// What the directory grants beyond the roles: the operator's option on marketing staff.
#[test]
fn acc_013_ref_040_055_marketing_staff_that_sees_all_answers_offers() {
    let marketing = |sees_all| member_of(Side::Partner, &[Role::MarketingStaff], sees_all);
    for (sees_all, actions) in [
        (false, vec![Action::Lead]),
        (true, vec![Action::Answer, Action::Lead]),
    ] {
        assert_eq!(permitted(&Caller::Member(marketing(sees_all))), actions);
        assert_eq!(marketing(sees_all).sees_whole_pipeline(), sees_all);
    }
}

#[test]
fn ref_057_services_have_only_the_access_that_they_need() {
    for (name, actions) in [
        ("opportunity", vec![Action::ReadContent]),
        ("notification", vec![Action::ReadForAccount]),
        ("collaboration", Vec::new()),
        ("review", Vec::new()),
        ("partner", Vec::new()),
    ] {
        let caller = Caller::Service(name.parse().expect("a service"));
        assert_eq!(permitted(&caller), actions, "{name}");
    }
}
