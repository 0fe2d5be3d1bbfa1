//! Covers access control: every role with every action (ACC-010, DIR-012, DIR-014), and which services may provision
//! (DIR-050).

use cosell_types::{Caller, ClosedList as _, Member, Role, Side};

use super::access::{Action, may_provision, permits};

const ACTIONS: [Action; 11] = [
    Action::GetAccount,
    Action::ActAsAllianceLead,
    Action::RepresentAccount,
    Action::SearchPartners,
    Action::AdministerMembers,
    Action::AcceptMembership,
    Action::GetMember,
    Action::ListMembers,
    Action::UpdateMember,
    Action::GetConnectionInvitation,
    Action::ReadAsPipelineRole,
];

/// Columns as in `ACTIONS`.
const TABLE: &str = "
                      account lead represent search administer join get list update invitation pipeline
ALLIANCE_LEAD         x       x    x         x      x          x    x   x    x      x          x
ALLIANCE_TEAM         x       .    x         x      x          x    x   x    x      x          x
ACE_MANAGER           x       .    .         x      .          x    x   x    x      x          x
ACE_USER              x       .    .         x      .          x    x   x    x      x          x
MARKETING_STAFF       x       .    .         x      .          x    x   x    x      x          x
TECHNICAL_STAFF       x       .    .         x      .          x    x   x    x      x          x
CLOUD_ADMIN           x       .    .         .      x          x    x   x    x      .          .
CHANNEL_USER          x       .    .         .      .          x    x   .    x      .          .
STANDARD_USER         x       .    .         .      .          x    x   .    x      .          .
REVIEWER              x       .    .         x      .          x    x   x    x      .          .
SALES_REPRESENTATIVE  x       .    .         x      .          x    x   x    x      .          .
ACCOUNT_OWNER         x       .    .         x      .          x    x   x    x      .          .
PDM                   x       .    .         x      .          x    x   x    x      .          .
WWPS_PDM              x       .    .         x      .          x    x   x    x      .          .
PSM                   x       .    .         x      .          x    x   x    x      .          .
ISV_SUCCESS_MANAGER   x       .    .         x      .          x    x   x    x      .          .
";

fn caller(side: Side, roles: &[Role]) -> Caller {
    Caller::Member(Member {
        id: "m".parse().expect("a member"),
        account: "111111111111".parse().expect("an account"),
        side,
        roles: roles.to_vec(),
        sees_all_opportunities: false,
    })
}

#[test]
fn acc_010_dir_014_role_table_covers_every_role_and_action() {
    let rows: Vec<Vec<&str>> = TABLE
        .trim_matches('\n')
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), Role::ALL.len());
    for (role, row) in Role::ALL.iter().zip(rows) {
        assert_eq!(row[0], role.name());
        let caller = caller(role.side(), &[*role]);
        for (action, cell) in ACTIONS.into_iter().zip(&row[1..]) {
            assert_eq!(permits(&caller, action), *cell == "x", "{role} {action:?}");
        }
    }
    let service = Caller::Service("review".parse().expect("a service"));
    let allowed_to_all = [
        Action::GetAccount,
        Action::AcceptMembership,
        Action::GetMember,
        Action::UpdateMember,
    ];
    for action in ACTIONS {
        let allowed_to_services = [
            Action::GetAccount,
            Action::GetMember,
            Action::GetConnectionInvitation,
        ]
        .contains(&action);
        assert_eq!(
            permits(&service, action),
            allowed_to_services,
            "a service {action:?}"
        );
        for side in [Side::Partner, Side::Aws] {
            let without_role = caller(side, &[]);
            assert_eq!(
                permits(&without_role, action),
                allowed_to_all.contains(&action),
                "without a role {action:?}"
            );
        }
    }
}

#[test]
fn dir_050_only_configured_services_may_provision() {
    let service = |name: &str| name.parse().expect("a service");
    let named = [service("provisioner"), service("hr")];
    for (caller, is_allowed) in [
        (Caller::Service(service("hr")), true),
        (Caller::Service(service("notification")), false),
        (caller(Side::Partner, &[Role::AllianceLead]), false),
        (caller(Side::Aws, &[Role::Reviewer]), false),
    ] {
        assert_eq!(may_provision(&caller, &named), is_allowed, "{caller:?}");
    }
    assert!(!may_provision(&Caller::Service(service("hr")), &[]));
}
