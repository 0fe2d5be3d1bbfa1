//! Covers access control: every role with every action, and the visibility of engagements and channels (ACC-010,
//! COL-005, COL-013, COL-020, COL-050, CHN-003 to CHN-005).

use cosell_types::{Caller, ClosedList as _, Member, Role, Side};

use super::access::{
    Action, can_join_channels, member_ref, permits, sees_channel, sees_engagement, sees_records_of,
};
use super::tests_channel::requested_channel;
use super::tests_engagement::engagement_with_members;
use super::tests_invitation::{account, member, now};
use super::values::ChannelProvider;

const ACTIONS: [Action; 8] = [
    Action::ManageEngagements,
    Action::AnswerInvitation,
    Action::ListInvitations,
    Action::Read,
    Action::ReadChannel,
    Action::ReadForAccount,
    Action::ManageChannels,
    Action::UseChannels,
];

/// Columns as in `ACTIONS`.
const TABLE: &str = "
                      engagements answer list-invitations read read-channel for-notification manage-channels use-channels
ALLIANCE_LEAD         x           x      x                x    x            .                .               x
ALLIANCE_TEAM         x           x      x                x    x            .                .               x
ACE_MANAGER           x           x      x                x    x            .                .               x
ACE_USER              x           .      .                x    x            .                .               x
MARKETING_STAFF       x           .      .                x    x            .                .               x
TECHNICAL_STAFF       x           .      .                x    x            .                .               x
CLOUD_ADMIN           .           .      .                .    .            .                .               .
CHANNEL_USER          .           .      .                .    .            .                .               .
STANDARD_USER         .           .      .                .    .            .                .               .
REVIEWER              .           .      .                .    .            .                .               .
SALES_REPRESENTATIVE  .           .      x                x    x            .                .               x
ACCOUNT_OWNER         .           .      x                x    x            .                x               x
PDM                   .           .      x                x    x            .                .               x
WWPS_PDM              .           .      x                x    x            .                .               x
PSM                   .           .      x                x    x            .                .               x
ISV_SUCCESS_MANAGER   .           .      x                x    x            .                .               x
";

fn member_of(id: &str, account_number: u64, side: Side, roles: &[Role]) -> Member {
    Member {
        id: member(id),
        account: account(account_number),
        side,
        roles: roles.to_vec(),
        sees_all_opportunities: false,
    }
}

#[test]
fn acc_010_col_005_013_050_chn_003_004_role_table_covers_every_action() {
    let rows: Vec<Vec<&str>> = TABLE
        .trim_matches('\n')
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), Role::ALL.len());
    for (role, row) in Role::ALL.iter().copied().zip(rows) {
        assert_eq!(row[0], role.name());
        let caller = Caller::Member(member_of("m", 0, role.side(), &[role]));
        for (action, cell) in ACTIONS.into_iter().zip(&row[1..]) {
            assert_eq!(permits(&caller, action), *cell == "x", "{role} {action:?}");
        }
        // A role grants nothing on the opposite side.
        let other = match role.side() {
            Side::Partner => Side::Aws,
            Side::Aws => Side::Partner,
        };
        let other_side = Caller::Member(member_of("m", 0, other, &[role]));
        assert!(
            ACTIONS.iter().all(|action| !permits(&other_side, *action)),
            "{role}"
        );
    }
    let without_role = Caller::Member(member_of("m", 0, Side::Partner, &[]));
    let service = Caller::Service("opportunity".parse().expect("a service"));
    let notification = Caller::Service("notification".parse().expect("a service"));
    for action in ACTIONS {
        assert!(!permits(&without_role, action), "without a role {action:?}");
        assert!(!permits(&service, action), "a service {action:?}");
        // The notification service reads what its e-mails name.
        assert_eq!(
            permits(&notification, action),
            matches!(action, Action::ReadChannel | Action::ReadForAccount),
            "{action:?}"
        );
    }
    let both = [Role::AceUser, Role::AceManager];
    let both = Caller::Member(member_of("m", 0, Side::Partner, &both));
    assert!(
        permits(&both, Action::AnswerInvitation),
        "the widest role must apply"
    );
}

/// The option of the directory lets marketing staff see all opportunities; then it has the access of an ACE manager.
#[test]
fn acc_013_marketing_staff_that_sees_all_has_access_of_ace_manager() {
    let mut engagement = engagement_with_members(1..3);
    engagement.leave(&account(2), now()).expect("a departure");
    let channel = requested_channel(ChannelProvider::Slack);
    for (sees_all, like) in [(false, Role::AceUser), (true, Role::AceManager)] {
        for (id, account_number) in [
            ("mem-sender", 0),
            ("mem-colleague", 0),
            ("mem-colleague", 1),
            ("mem-colleague", 3),
        ] {
            let mut marketing = member_of(id, account_number, Side::Partner, &[Role::MarketingStaff]);
            marketing.sees_all_opportunities = sees_all;
            let other = member_of(id, account_number, Side::Partner, &[like]);
            let sees = |member: &Member| {
                let creator = member_of("mem-sender", 0, Side::Partner, &[]).id;
                [
                    sees_engagement(member, &engagement),
                    sees_channel(member, &channel),
                    sees_records_of(member, &creator),
                    can_join_channels(member),
                ]
            };
            assert_eq!(
                sees(&marketing),
                sees(&other),
                "{sees_all} {id} of {account_number}"
            );
            let (marketing, other) = (Caller::Member(marketing), Caller::Member(other));
            for action in ACTIONS {
                assert_eq!(
                    permits(&marketing, action),
                    permits(&other, action),
                    "{sees_all} {action:?}"
                );
            }
        }
    }
}

/// Members see the engagements that they began or accepted, roles with the whole pipeline see all of their account, and
/// nobody sees those of another account.
#[test]
fn col_020_021_050_engagement_visibility_depends_on_role_and_membership() {
    // mem-sender of account 0 began the engagement, mem-receiver accepted for accounts 1 and 2, and account 2 has left.
    let mut engagement = engagement_with_members(1..3);
    engagement.leave(&account(2), now()).expect("a departure");
    for role in Role::ALL
        .iter()
        .copied()
        .filter(|role| role.side() == Side::Partner)
    {
        let sees_all = Role::WHOLE_PIPELINE.contains(&role);
        for (id, account_number, expected) in [
            ("mem-sender", 0, true),
            ("mem-colleague", 0, sees_all),
            ("mem-receiver", 1, true),
            ("mem-colleague", 1, sees_all),
            ("mem-sender", 1, sees_all),
            ("mem-receiver", 2, false),
            ("mem-colleague", 2, false),
            ("mem-sender", 3, false),
        ] {
            let caller = member_of(id, account_number, Side::Partner, &[role]);
            assert_eq!(
                sees_engagement(&caller, &engagement),
                expected,
                "{role} {id} of {account_number}"
            );
        }
        let by = member("mem-sender");
        assert!(sees_records_of(
            &member_of("mem-sender", 0, Side::Partner, &[role]),
            &by
        ));
        let colleague = member_of("mem-colleague", 0, Side::Partner, &[role]);
        assert_eq!(sees_records_of(&colleague, &by), sees_all, "{role}");
    }
    for is_limited in [false, true] {
        engagement.set_limited(is_limited);
        for role in Role::SALES {
            let seen = sees_engagement(&member_of("aws", 9, Side::Aws, &[role]), &engagement);
            assert_eq!(seen, !is_limited, "{role}");
        }
        assert!(sees_engagement(
            &member_of("mem-sender", 0, Side::Partner, &[Role::AceUser]),
            &engagement
        ));
    }
}

/// Members see the channels that they requested or are in, roles with the whole pipeline see all of their account, and
/// nobody sees those of another partner account.
#[test]
fn chn_005_channel_visibility_depends_on_role_and_membership() {
    // The channel belongs to account 0. mem-sender requested it; both mem-sender and mem-guest are members.
    let mut channel = requested_channel(ChannelProvider::Slack);
    let guest = member_ref(&member_of("mem-guest", 0, Side::Partner, &[]));
    channel
        .approve(None, vec![guest], "".into(), now())
        .expect("a decision");
    for role in Role::ALL
        .iter()
        .copied()
        .filter(|role| role.side() == Side::Partner)
    {
        let sees_all = Role::WHOLE_PIPELINE.contains(&role);
        for (id, account_number, expected) in [
            ("mem-sender", 0, true),
            ("mem-guest", 0, true),
            ("mem-colleague", 0, sees_all),
            ("mem-sender", 1, false),
            ("mem-guest", 1, false),
            ("mem-colleague", 1, false),
        ] {
            let caller = member_of(id, account_number, Side::Partner, &[role]);
            assert_eq!(
                sees_channel(&caller, &channel),
                expected,
                "{role} {id} of {account_number}"
            );
        }
        // Only roles with access to the pipeline can be channel members (CHN-003).
        let is_eligible = sees_all || Role::OWN_RECORDS.contains(&role);
        assert_eq!(
            can_join_channels(&member_of("m", 0, Side::Partner, &[role])),
            is_eligible,
            "{role}"
        );
    }
    for role in Role::SALES {
        let caller = member_of("aws", 9, Side::Aws, &[role]);
        assert!(
            sees_channel(&caller, &channel) && can_join_channels(&caller),
            "{role}"
        );
    }
}
