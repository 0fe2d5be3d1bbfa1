//! Who may do what, cell by cell (ACC-010, COL-005, COL-013, COL-020, COL-050, CHN-005).

use cosell_types::{Caller, ClosedList as _, Member, Role, Side};

use super::access::{Action, can_chat, permits, person, sees, sees_channel, works_on};
use super::tests_channel::requested;
use super::tests_engagement::with_members;
use super::tests_invitation::{account, member, now};
use super::values::ChannelProvider;

const ACTIONS: [Action; 7] = [
    Action::Work,
    Action::Answer,
    Action::ListInvitations,
    Action::Read,
    Action::ReadChannel,
    Action::Decide,
    Action::Chat,
];

/// Columns as in `ACTIONS`.
const TABLE: &str = "
                      work answer list-invitations read read-channel decide chat
ALLIANCE_LEAD         x    x      x                x    x            .      x
ALLIANCE_TEAM         x    x      x                x    x            .      x
ACE_MANAGER           x    x      x                x    x            .      x
ACE_USER              x    .      .                x    x            .      x
MARKETING_STAFF       x    x      x                x    x            .      x
TECHNICAL_STAFF       x    .      .                x    x            .      x
CLOUD_ADMIN           .    .      .                .    .            .      .
CHANNEL_USER          .    .      .                .    .            .      .
STANDARD_USER         .    .      .                .    .            .      .
REVIEWER              .    .      .                .    .            .      .
SALES_REPRESENTATIVE  .    .      x                x    x            .      x
ACCOUNT_OWNER         .    .      x                x    x            x      x
PDM                   .    .      x                x    x            .      x
WWPS_PDM              .    .      x                x    x            .      x
PSM                   .    .      x                x    x            .      x
ISV_SUCCESS_MANAGER   .    .      x                x    x            .      x
";

fn somebody(id: &str, company: u64, side: Side, roles: &[Role]) -> Member {
    Member {
        id: member(id),
        account: account(company),
        side,
        roles: roles.to_vec(),
    }
}

#[test]
fn acc_010_col_005_013_050_chn_003_004_every_role_and_every_call() {
    let rows: Vec<Vec<&str>> = TABLE
        .trim_matches('\n')
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), Role::ALL.len());
    for (role, row) in Role::ALL.iter().copied().zip(rows) {
        assert_eq!(row[0], role.name());
        let caller = Caller::Member(somebody("m", 0, role.side(), &[role]));
        for (action, cell) in ACTIONS.into_iter().zip(&row[1..]) {
            assert_eq!(permits(&caller, action), *cell == "x", "{role} {action:?}");
        }
        // A role counts on its own side only.
        let other = match role.side() {
            Side::Partner => Side::Aws,
            Side::Aws => Side::Partner,
        };
        let wrong = Caller::Member(somebody("m", 0, other, &[role]));
        assert!(ACTIONS.iter().all(|action| !permits(&wrong, *action)), "{role}");
    }
    let nobody = Caller::Member(somebody("m", 0, Side::Partner, &[]));
    let service = Caller::Service("opportunity".parse().expect("a service"));
    let messenger = Caller::Service("notification".parse().expect("a service"));
    for action in ACTIONS {
        assert!(!permits(&nobody, action), "without a role {action:?}");
        assert!(!permits(&service, action), "a service {action:?}");
        // It tells people where the channel is.
        assert_eq!(
            permits(&messenger, action),
            action == Action::ReadChannel,
            "{action:?}"
        );
    }
    let both = [Role::AceUser, Role::AceManager];
    let both = Caller::Member(somebody("m", 0, Side::Partner, &both));
    assert!(permits(&both, Action::Answer), "the widest role counts");
}

/// Of its own company everybody sees what it began or accepted, and some see all; of another one nobody sees anything.
#[test]
fn col_020_021_050_who_sees_an_engagement() {
    // The company 0 began it by mem-sender, 1 and 2 accepted by mem-receiver, and 2 has left.
    let mut engagement = with_members(1..3);
    engagement.leave(&account(2), now()).expect("an end");
    for role in Role::ALL
        .iter()
        .copied()
        .filter(|role| role.side() == Side::Partner)
    {
        let sees_all = Role::WHOLE_PIPELINE.contains(&role);
        for (id, company, expected) in [
            ("mem-sender", 0, true),
            ("mem-colleague", 0, sees_all),
            ("mem-receiver", 1, true),
            ("mem-colleague", 1, sees_all),
            ("mem-sender", 1, sees_all),
            ("mem-receiver", 2, false),
            ("mem-colleague", 2, false),
            ("mem-sender", 3, false),
        ] {
            let somebody = somebody(id, company, Side::Partner, &[role]);
            assert_eq!(sees(&somebody, &engagement), expected, "{role} {id} of {company}");
        }
        let by = member("mem-sender");
        assert!(works_on(&somebody("mem-sender", 0, Side::Partner, &[role]), &by));
        let colleague = somebody("mem-colleague", 0, Side::Partner, &[role]);
        assert_eq!(works_on(&colleague, &by), sees_all, "{role}");
    }
    for is_limited in [false, true] {
        engagement.limit(is_limited);
        for role in Role::SALES {
            let seen = sees(&somebody("aws", 9, Side::Aws, &[role]), &engagement);
            assert_eq!(seen, !is_limited, "{role}");
        }
        assert!(sees(
            &somebody("mem-sender", 0, Side::Partner, &[Role::AceUser]),
            &engagement
        ));
    }
}

/// Of its own company's channels everybody sees what it asked for or is in, and some see all; nobody another company's.
#[test]
fn chn_005_who_sees_a_channel() {
    // The company 0 has it, mem-sender asked for it, and is in it; so is mem-guest.
    let mut channel = requested(ChannelProvider::Slack);
    let guest = person(&somebody("mem-guest", 0, Side::Partner, &[]));
    channel
        .approve(None, vec![guest], "".into(), now())
        .expect("a decision");
    for role in Role::ALL
        .iter()
        .copied()
        .filter(|role| role.side() == Side::Partner)
    {
        let sees_all = Role::WHOLE_PIPELINE.contains(&role);
        for (id, company, expected) in [
            ("mem-sender", 0, true),
            ("mem-guest", 0, true),
            ("mem-colleague", 0, sees_all),
            ("mem-sender", 1, false),
            ("mem-guest", 1, false),
            ("mem-colleague", 1, false),
        ] {
            let somebody = somebody(id, company, Side::Partner, &[role]);
            assert_eq!(
                sees_channel(&somebody, &channel),
                expected,
                "{role} {id} of {company}"
            );
        }
        // Who can be in one has access to the pipeline (CHN-003).
        let can = sees_all || Role::OWN_RECORDS.contains(&role);
        assert_eq!(can_chat(&somebody("m", 0, Side::Partner, &[role])), can, "{role}");
    }
    for role in Role::SALES {
        let somebody = somebody("aws", 9, Side::Aws, &[role]);
        assert!(sees_channel(&somebody, &channel) && can_chat(&somebody), "{role}");
    }
}
