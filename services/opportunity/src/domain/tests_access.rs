//! Access control: the table of roles and actions, and which records and revisions each role can see (ACC-010 to
//! ACC-012). Also which services act as AWS's CRM (OPP-053).

use cosell_types::{Caller, ClosedList as _, Member, Role, Side};

use super::access::{
    Action, VisibilityScope, is_crm, is_revision_visible, is_visible, permits, visibility_scope,
};
use super::fixtures::{facts, in_status, member};
use super::values::{InvolvementType, ReviewStatus};

const ACTIONS: [Action; 17] = [
    Action::Create,
    Action::Get,
    Action::List,
    Action::Update,
    Action::Submit,
    Action::Withdraw,
    Action::Discard,
    Action::AllowedActions,
    Action::StandardValues,
    Action::Reopen,
    Action::GetAwsSummary,
    Action::UpdateAwsSummary,
    Action::Count,
    Action::Flag,
    Action::Revisions,
    Action::Diff,
    Action::ReadForAccount,
];

/// Permitted actions per role: `x` is permitted, `.` is refused. The columns are in the order of `ACTIONS`.
const TABLE: &str = "
                      create get list update submit withdraw discard allowed values reopen get-aws update-aws   count flag revisions diff for
ALLIANCE_LEAD         x      x   x    x      x      x        x       x       x      .   x       .   x     x     x     x    .
ALLIANCE_TEAM         x      x   x    x      x      x        x       x       x      .   x       .   x     x     x     x    .
ACE_MANAGER           x      x   x    x      x      x        x       x       x      .   x       .   x     x     x     x    .
ACE_USER              x      x   x    x      x      x        x       x       x      .   x       .   x     x     x     x    .
MARKETING_STAFF       x      x   x    x      x      x        x       x       x      .   x       .   x     x     x     x    .
TECHNICAL_STAFF       x      x   x    x      .      .        x       x       x      .   x       .   x     x     x     x    .
CLOUD_ADMIN           .      .   .    .      .      .        .       .       x      .   .       .   .     .     .     .    .
CHANNEL_USER          .      .   .    .      .      .        .       .       x      .   .       .   .     .     .     .    .
STANDARD_USER         .      .   .    .      .      .        .       .       x      .   .       .   .     .     .     .    .
REVIEWER              .      x   x    .      .      .        .       x       x      x   x       .   x     x     x     x    .
SALES_REPRESENTATIVE  .      x   x    .      .      .        .       x       x      .   x       x   x     x     x     x    .
ACCOUNT_OWNER         .      x   x    .      .      .        .       x       x      x   x       x   x     x     x     x    .
PDM                   .      x   x    .      .      .        .       x       x      .   x       .   x     x     x     x    .
WWPS_PDM              .      x   x    .      .      .        .       x       x      .   x       .   x     x     x     x    .
PSM                   .      x   x    .      .      .        .       x       x      .   x       .   x     x     x     x    .
ISV_SUCCESS_MANAGER   .      x   x    .      .      .        .       x       x      .   x       .   x     x     x     x    .
";

fn member_of(id: &str, account: &str, side: Side, roles: &[Role]) -> Member {
    Member {
        id: member(id),
        account: account.parse().expect("an account"),
        side,
        roles: roles.to_vec(),
        sees_all_opportunities: false,
    }
}

#[test]
fn acc_010_each_role_and_action_is_permitted_as_in_the_table() {
    let rows: Vec<Vec<&str>> = TABLE
        .trim_matches('\n')
        .lines()
        .skip(1)
        .map(|r| r.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), Role::ALL.len());
    for (role, row) in Role::ALL.iter().copied().zip(rows) {
        assert_eq!(row[0], role.name());
        let caller = Caller::Member(member_of("m", "111111111111", role.side(), &[role]));
        for (action, cell) in ACTIONS.into_iter().zip(&row[1..]) {
            assert_eq!(permits(&caller, action), *cell == "x", "{role} {action:?}");
        }
    }
    let without_roles = Caller::Member(member_of("m", "111111111111", Side::Partner, &[]));
    let service = Caller::Service("review".parse().expect("a service"));
    for action in ACTIONS {
        let is_for_all = action == Action::StandardValues;
        assert_eq!(
            permits(&without_roles, action),
            is_for_all,
            "member without roles, {action:?}"
        );
        assert_eq!(
            permits(&service, action),
            is_for_all || action == Action::Get,
            "service, {action:?}"
        );
        let is_for_collaboration = is_for_all || matches!(action, Action::Get | Action::ReadForAccount);
        let collaboration = Caller::Service("collaboration".parse().expect("a service"));
        assert_eq!(
            permits(&collaboration, action),
            is_for_collaboration,
            "collaboration service, {action:?}"
        );
    }
}

#[test]
fn opp_053_only_configured_services_act_as_aws_crm() {
    let service = |name: &str| Caller::Service(name.parse().expect("a service"));
    let named = ["crm", "sales-sync"].map(|name| name.parse().expect("a service"));
    assert!(is_crm(&service("crm"), &named) && is_crm(&service("sales-sync"), &named));
    assert!(!is_crm(&service("review"), &named) && !is_crm(&service("crm"), &[]));
    for role in Role::ALL.iter().copied() {
        let member = member_of("crm", "111111111111", role.side(), &[role]);
        assert!(!is_crm(&Caller::Member(member), &named), "{role}");
    }
}

#[test]
fn acc_011_partner_visibility_is_limited_to_account_or_own_records_by_role() {
    let record = in_status(ReviewStatus::PendingSubmission, InvolvementType::CoSell);
    for role in Role::ALL
        .iter()
        .copied()
        .filter(|role| role.side() == Side::Partner)
    {
        let colleague = member_of("colleague", "111111111111", Side::Partner, &[role]);
        let creator = member_of("creator", "111111111111", Side::Partner, &[role]);
        let unrelated = member_of("creator", "222222222222", Side::Partner, &[role]);
        let visibility_scope = visibility_scope(&colleague);
        assert_eq!(
            is_visible(&colleague, &record),
            visibility_scope == VisibilityScope::Account,
            "{role}"
        );
        assert_eq!(
            is_visible(&creator, &record),
            matches!(visibility_scope, VisibilityScope::Account | VisibilityScope::Own),
            "{role}"
        );
        assert!(!is_visible(&unrelated, &record), "{role}");
    }
}

#[test]
fn acc_011_member_with_several_roles_has_the_widest_visibility() {
    let record = in_status(ReviewStatus::PendingSubmission, InvolvementType::CoSell);
    let both = [Role::AceUser, Role::AceManager];
    assert!(is_visible(
        &member_of("colleague", "111111111111", Side::Partner, &both),
        &record
    ));
}

#[test]
fn acc_012_aws_sees_submitted_records_and_sales_roles_only_full_visibility() {
    let reviewer = member_of("r", "999999999999", Side::Aws, &[Role::Reviewer]);
    let seller = member_of("s", "999999999999", Side::Aws, &[Role::SalesRepresentative]);
    for status in [
        ReviewStatus::Submitted,
        ReviewStatus::InReview,
        ReviewStatus::ActionRequired,
        ReviewStatus::Approved,
        ReviewStatus::Rejected,
    ] {
        let record = in_status(status, InvolvementType::CoSell);
        assert!(
            is_visible(&reviewer, &record) && is_visible(&seller, &record),
            "{status:?}"
        );
    }
    let draft = in_status(ReviewStatus::PendingSubmission, InvolvementType::CoSell);
    assert!(!is_visible(&reviewer, &draft) && !is_visible(&seller, &draft));

    let mut details = super::fixtures::submittable();
    details.primary_needs_from_aws.clear();
    let mut limited = super::fixtures::draft(details);
    limited
        .submit(
            &member("creator"),
            InvolvementType::ForVisibilityOnly,
            super::values::Visibility::Limited,
            &facts(),
            super::fixtures::now(),
        )
        .expect("a submission");
    assert!(is_visible(&reviewer, &limited) && !is_visible(&seller, &limited));

    // AWS sees a revision only if it could see the record at that revision. The partner sees all revisions.
    let owner = member_of("colleague", "111111111111", Side::Partner, &[Role::AceUser]);
    assert!(!is_revision_visible(&reviewer, &draft) && !is_revision_visible(&seller, &limited));
    assert!(is_revision_visible(&reviewer, &limited));
    assert!(is_revision_visible(&owner, &draft) && is_revision_visible(&owner, &limited));
}
