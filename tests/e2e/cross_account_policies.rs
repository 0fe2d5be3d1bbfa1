//! The row-level security policies that permit access to rows of other accounts. Written manually; `policies.rs` and
//! `row_level_security.rs` compare the database with this list.

/// A policy that permits more than the rows of the transaction's own account.
#[derive(Clone, Copy)]
pub struct CrossAccountPolicy {
    /// `<schema>.<table>.<policy>`; a leading `*` stands for every service.
    pub name: &'static str,
    /// The database role that the policy applies to, without the service's name.
    pub role: &'static str,
    /// The command of the policy, as in `pg_policies`.
    pub command: &'static str,
    /// The sides that the policy applies to, separated by spaces.
    pub sides: &'static str,
    /// The operations that the policy permits on rows of other accounts, as far as the role has the privilege.
    pub operations: &'static str,
    /// The condition for the permitted rows.
    pub rows: &'static str,
}

const fn policy(
    role: &'static str,
    name: &'static str,
    command: &'static str,
    sides: &'static str,
    operations: &'static str,
) -> CrossAccountPolicy {
    CrossAccountPolicy {
        name,
        role,
        command,
        sides,
        operations,
        rows: "true",
    }
}

const fn for_rows(rows: &'static str, policy: CrossAccountPolicy) -> CrossAccountPolicy {
    CrossAccountPolicy { rows, ..policy }
}

const NOT_DRAFT: &str = "review_status <> 'PENDING_SUBMISSION'";

/// All policies that span accounts. The prover cannot verify them, so tests compare their commands and effects with
/// this list.
pub const CROSS_ACCOUNT_POLICIES: [CrossAccountPolicy; 56] = [
    policy(
        "worker",
        "*.aggregate_cursor.all_accounts",
        "ALL",
        "work",
        "select",
    ),
    policy(
        "consumer",
        "*.aggregate_cursor.positions_of_all_accounts",
        "ALL",
        "consumer",
        "select insert update",
    ),
    policy(
        "worker",
        "*.dead_letter.all_accounts",
        "ALL",
        "work",
        "select insert update",
    ),
    policy("worker", "*.denial.all_accounts", "SELECT", "work", "select"),
    for_rows(
        "time < now() - interval '400 days'",
        policy("worker", "*.denial.forgets", "DELETE", "work", "delete"),
    ),
    policy("worker", "*.denial.writes", "INSERT", "work", "insert"),
    policy("worker", "*.event_journal.all_accounts", "ALL", "work", "select"),
    policy("app", "*.event_journal.aws_appends", "INSERT", "aws", "insert"),
    policy("worker", "*.inbox.all_accounts", "ALL", "work", "select delete"),
    policy(
        "consumer",
        "*.inbox.positions_of_all_accounts",
        "ALL",
        "consumer",
        "select insert",
    ),
    policy("worker", "*.request.all_accounts", "ALL", "work", "select delete"),
    policy(
        "app",
        "collaboration.channel.aws_reads",
        "SELECT",
        "aws",
        "select",
    ),
    policy("worker", "collaboration.channel.work", "SELECT", "work", "select"),
    policy(
        "app",
        "collaboration.channel_member.aws_reads",
        "SELECT",
        "aws",
        "select",
    ),
    policy(
        "worker",
        "collaboration.channel_member.work",
        "SELECT",
        "work",
        "select",
    ),
    for_rows(
        "NOT is_limited",
        policy(
            "app",
            "collaboration.engagement.aws_reads",
            "SELECT",
            "aws",
            "select",
        ),
    ),
    // An account that is in no engagement reads no engagement and no snapshot; the service's tests cover members.
    for_rows(
        "false",
        policy(
            "app",
            "collaboration.engagement.partner",
            "SELECT",
            "partner",
            "select",
        ),
    ),
    for_rows(
        "NOT is_limited",
        policy(
            "app",
            "collaboration.invitation.aws_reads",
            "SELECT",
            "aws",
            "select",
        ),
    ),
    for_rows(
        "state = 'PENDING'",
        policy(
            "worker",
            "collaboration.invitation.due",
            "SELECT",
            "work",
            "select",
        ),
    ),
    for_rows(
        "sender_account_id = '888888888888'",
        policy(
            "app",
            "collaboration.invitation.partner",
            "SELECT",
            "partner",
            "select",
        ),
    ),
    for_rows(
        "sender_account_id = '888888888888'",
        policy(
            "app",
            "collaboration.invitation.system_sent",
            "SELECT",
            "system",
            "select",
        ),
    ),
    for_rows(
        "NOT is_limited",
        policy(
            "app",
            "collaboration.snapshot.aws_reads",
            "SELECT",
            "aws",
            "select",
        ),
    ),
    for_rows(
        "false",
        policy(
            "app",
            "collaboration.snapshot.partner",
            "SELECT",
            "partner",
            "select",
        ),
    ),
    for_rows(
        "due_time IS NOT NULL",
        policy(
            "worker",
            "collaboration.snapshot_job.due",
            "SELECT",
            "work",
            "select",
        ),
    ),
    policy(
        "app",
        "notification.contact.events_find_anyone",
        "SELECT",
        "system",
        "select",
    ),
    policy(
        "app",
        "notification.directory_account.events_find_anyone",
        "SELECT",
        "system",
        "select",
    ),
    policy(
        "app",
        "notification.directory_member.events_find_anyone",
        "SELECT",
        "system",
        "select",
    ),
    policy(
        "worker",
        "notification.mail.all_accounts",
        "ALL",
        "work",
        "select update",
    ),
    policy(
        "app",
        "notification.mail.events_tell_anyone",
        "INSERT",
        "system",
        "insert",
    ),
    policy(
        "app",
        "notification.notification.events_tell_anyone",
        "INSERT",
        "system",
        "insert",
    ),
    policy(
        "app",
        "notification.preference.events_ask_anyone",
        "SELECT",
        "system",
        "select",
    ),
    policy(
        "app",
        "opportunity.aws_summary.aws_and_services_read",
        "SELECT",
        "aws service",
        "select",
    ),
    for_rows(
        "NOT is_keyed",
        policy(
            "worker",
            "opportunity.opportunity.unkeyed",
            "SELECT",
            "work",
            "select",
        ),
    ),
    for_rows(
        NOT_DRAFT,
        policy(
            "app",
            "opportunity.opportunity.aws_reads",
            "SELECT",
            "aws",
            "select",
        ),
    ),
    for_rows(
        NOT_DRAFT,
        policy(
            "app",
            "opportunity.opportunity_revision.aws_and_services_read",
            "SELECT",
            "aws service",
            "select",
        ),
    ),
    policy(
        "worker",
        "opportunity.bulk_job.all_accounts",
        "SELECT",
        "work",
        "select",
    ),
    for_rows(
        "end_time < now() - interval '30 days'",
        policy(
            "worker",
            "opportunity.bulk_job.forgets",
            "DELETE",
            "work",
            "delete",
        ),
    ),
    policy(
        "worker",
        "opportunity.bulk_key.all_accounts",
        "SELECT",
        "work",
        "select",
    ),
    for_rows(
        "time < now() - interval '30 days'",
        policy(
            "worker",
            "opportunity.bulk_key.forgets",
            "DELETE",
            "work",
            "delete",
        ),
    ),
    for_rows(
        "member_account_id = '888888888888'",
        policy(
            "app",
            "opportunity.opportunity_flag.aws_flags",
            "ALL",
            "aws",
            "select delete",
        ),
    ),
    for_rows(
        "shown_to_aws",
        policy(
            "app",
            "opportunity.opportunity_word.aws_reads",
            "SELECT",
            "aws",
            "select",
        ),
    ),
    policy("app", "partner.account.aws_reads", "SELECT", "aws", "select"),
    policy(
        "worker",
        "partner.connection_invitation.all_accounts",
        "SELECT",
        "work",
        "select",
    ),
    policy(
        "worker",
        "partner.member.all_accounts",
        "SELECT",
        "work",
        "select",
    ),
    // Public profiles are visible in the partner directory.
    for_rows(
        "NOT is_keyed",
        policy("worker", "partner.profile.unkeyed", "SELECT", "work", "select"),
    ),
    for_rows(
        "visibility = 'PUBLIC'",
        policy(
            "app",
            "partner.profile.public_profiles",
            "SELECT",
            "partner aws service system",
            "select",
        ),
    ),
    for_rows(
        "is_converted",
        policy(
            "app",
            "referral.lead.services_read",
            "SELECT",
            "service",
            "select",
        ),
    ),
    for_rows(
        "sender_account_id = '888888888888'",
        policy("app", "referral.offer.aws", "SELECT", "aws", "select"),
    ),
    for_rows(
        "state = 'ACCEPTED'",
        policy(
            "app",
            "referral.offer.services_read",
            "SELECT",
            "service",
            "select",
        ),
    ),
    for_rows(
        "due_time IS NOT NULL",
        policy("worker", "referral.offer.due", "SELECT", "work", "select"),
    ),
    for_rows(
        "sender_account_id = '888888888888'",
        policy(
            "app",
            "referral.offer.system_reads_sent",
            "SELECT",
            "system",
            "select",
        ),
    ),
    policy(
        "app",
        "referral.offer_deal.services_read",
        "SELECT",
        "service",
        "select",
    ),
    policy(
        "app",
        "review.review_case.aws",
        "ALL",
        "aws",
        "select insert update",
    ),
    policy(
        "app",
        "review.review_case.services_read",
        "SELECT",
        "service",
        "select",
    ),
    policy("app", "review.submission.aws", "SELECT", "aws", "select"),
    policy(
        "app",
        "review.submission.services_read",
        "SELECT",
        "service",
        "select",
    ),
];
