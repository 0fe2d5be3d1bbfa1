//! Who may do what, cell by cell (ACC-010 to ACC-012).

use cosell_types::{Caller, ClosedList as _, Member, Role, Side};

use super::access::{Action, Reach, is_crm, permits, reach, sees, sees_revision};
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
    Action::ForAccount,
];

/// Columns as in `ACTIONS`.
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

fn somebody(id: &str, account: &str, side: Side, roles: &[Role]) -> Member {
    Member {
        id: member(id),
        account: account.parse().expect("an account"),
        side,
        roles: roles.to_vec(),
    }
}

#[test]
fn acc_010_every_role_and_every_call() {
    let rows: Vec<Vec<&str>> = TABLE
        .trim_matches('\n')
        .lines()
        .skip(1)
        .map(|r| r.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), Role::ALL.len());
    for (role, row) in Role::ALL.iter().copied().zip(rows) {
        assert_eq!(row[0], role.name());
        let caller = Caller::Member(somebody("m", "111111111111", role.side(), &[role]));
        for (action, cell) in ACTIONS.into_iter().zip(&row[1..]) {
            assert_eq!(permits(&caller, action), *cell == "x", "{role} {action:?}");
        }
    }
    let nobody = Caller::Member(somebody("m", "111111111111", Side::Partner, &[]));
    let service = Caller::Service("review".parse().expect("a service"));
    for action in ACTIONS {
        let is_for_all = action == Action::StandardValues;
        assert_eq!(permits(&nobody, action), is_for_all, "without a role {action:?}");
        assert_eq!(
            permits(&service, action),
            is_for_all || action == Action::Get,
            "a service {action:?}"
        );
        let is_for_collaboration = is_for_all || matches!(action, Action::Get | Action::ForAccount);
        let collaboration = Caller::Service("collaboration".parse().expect("a service"));
        assert_eq!(
            permits(&collaboration, action),
            is_for_collaboration,
            "collaboration {action:?}"
        );
    }
}

#[test]
fn opp_053_only_services_that_are_named_speak_for_aws() {
    let service = |name: &str| Caller::Service(name.parse().expect("a service"));
    let named = ["crm", "sales-sync"].map(|name| name.parse().expect("a service"));
    assert!(is_crm(&service("crm"), &named) && is_crm(&service("sales-sync"), &named));
    assert!(!is_crm(&service("review"), &named) && !is_crm(&service("crm"), &[]));
    for role in Role::ALL.iter().copied() {
        let member = somebody("crm", "111111111111", role.side(), &[role]);
        assert!(!is_crm(&Caller::Member(member), &named), "{role}");
    }
}

#[test]
fn acc_011_a_partner_sees_its_own_account_and_some_only_their_own_records() {
    let record = in_status(ReviewStatus::PendingSubmission, InvolvementType::CoSell);
    for role in Role::ALL
        .iter()
        .copied()
        .filter(|role| role.side() == Side::Partner)
    {
        let colleague = somebody("colleague", "111111111111", Side::Partner, &[role]);
        let creator = somebody("creator", "111111111111", Side::Partner, &[role]);
        let stranger = somebody("creator", "222222222222", Side::Partner, &[role]);
        let reach = reach(&colleague);
        assert_eq!(sees(&colleague, &record), reach == Reach::Account, "{role}");
        assert_eq!(
            sees(&creator, &record),
            matches!(reach, Reach::Account | Reach::Own),
            "{role}"
        );
        assert!(!sees(&stranger, &record), "{role}");
    }
}

#[test]
fn acc_011_the_widest_role_counts() {
    let record = in_status(ReviewStatus::PendingSubmission, InvolvementType::CoSell);
    let both = [Role::AceUser, Role::AceManager];
    assert!(sees(
        &somebody("colleague", "111111111111", Side::Partner, &both),
        &record
    ));
}

#[test]
fn acc_012_aws_sees_what_was_submitted_and_sales_only_what_is_fully_visible() {
    let reviewer = somebody("r", "999999999999", Side::Aws, &[Role::Reviewer]);
    let seller = somebody("s", "999999999999", Side::Aws, &[Role::SalesRepresentative]);
    for status in [
        ReviewStatus::Submitted,
        ReviewStatus::InReview,
        ReviewStatus::ActionRequired,
        ReviewStatus::Approved,
        ReviewStatus::Rejected,
    ] {
        let record = in_status(status, InvolvementType::CoSell);
        assert!(sees(&reviewer, &record) && sees(&seller, &record), "{status:?}");
    }
    let draft = in_status(ReviewStatus::PendingSubmission, InvolvementType::CoSell);
    assert!(!sees(&reviewer, &draft) && !sees(&seller, &draft));

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
    assert!(sees(&reviewer, &limited) && !sees(&seller, &limited));

    // Of the past of a record that is theirs to see now, AWS sees what was so then, and the partner everything.
    let owner = somebody("colleague", "111111111111", Side::Partner, &[Role::AceUser]);
    assert!(!sees_revision(&reviewer, &draft) && !sees_revision(&seller, &limited));
    assert!(sees_revision(&reviewer, &limited));
    assert!(sees_revision(&owner, &draft) && sees_revision(&owner, &limited));
}
