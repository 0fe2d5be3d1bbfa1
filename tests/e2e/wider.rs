//! The policies that are wider than one account. Written by hand; a prover and tries hold the database against it.

/// A policy that is wider than the equality of the row's account and the transaction's.
#[derive(Clone, Copy)]
pub struct Wider {
    /// Its name behind its table's; `*` stands for every service.
    pub name: &'static str,
    /// The role of the service that it is for.
    pub role: &'static str,
    /// The command that it is for, as the database names it.
    pub command: &'static str,
    /// The sides that it is for.
    pub sides: &'static str,
    /// What these do by it with rows of other accounts, as far as the role has a right to.
    pub lets: &'static str,
    /// Which rows they are.
    pub rows: &'static str,
}

const fn of(
    role: &'static str,
    name: &'static str,
    command: &'static str,
    sides: &'static str,
    lets: &'static str,
) -> Wider {
    Wider {
        name,
        role,
        command,
        sides,
        lets,
        rows: "true",
    }
}

const fn only(rows: &'static str, of: Wider) -> Wider {
    Wider { rows, ..of }
}

const NO_DRAFTS: &str = "review_status <> 'PENDING_SUBMISSION'";

/// All of them. Nothing can be proven of them; their commands and what they let through are held against this table.
pub const WIDER: [Wider; 50] = [
    of(
        "worker",
        "*.aggregate_cursor.all_accounts",
        "ALL",
        "work",
        "reads",
    ),
    of(
        "worker",
        "*.dead_letter.all_accounts",
        "ALL",
        "work",
        "reads adds changes",
    ),
    of("worker", "*.denial.all_accounts", "SELECT", "work", "reads"),
    only(
        "time < now() - interval '400 days'",
        of("worker", "*.denial.forgets", "DELETE", "work", "deletes"),
    ),
    of("worker", "*.denial.writes", "INSERT", "work", "adds"),
    of("worker", "*.event_journal.all_accounts", "ALL", "work", "reads"),
    of("app", "*.event_journal.aws_appends", "INSERT", "aws", "adds"),
    of("worker", "*.inbox.all_accounts", "ALL", "work", "reads deletes"),
    of("worker", "*.request.all_accounts", "ALL", "work", "reads deletes"),
    of("app", "collaboration.channel.aws_reads", "SELECT", "aws", "reads"),
    of("worker", "collaboration.channel.work", "SELECT", "work", "reads"),
    of(
        "app",
        "collaboration.channel_member.aws_reads",
        "SELECT",
        "aws",
        "reads",
    ),
    of(
        "worker",
        "collaboration.channel_member.work",
        "SELECT",
        "work",
        "reads",
    ),
    only(
        "NOT is_limited",
        of(
            "app",
            "collaboration.engagement.aws_reads",
            "SELECT",
            "aws",
            "reads",
        ),
    ),
    // Who is part of no engagement reaches none, and no snapshot; what the others reach is tried out in the service.
    only(
        "false",
        of(
            "app",
            "collaboration.engagement.partner",
            "SELECT",
            "partner",
            "reads",
        ),
    ),
    only(
        "NOT is_limited",
        of(
            "app",
            "collaboration.invitation.aws_reads",
            "SELECT",
            "aws",
            "reads",
        ),
    ),
    only(
        "state = 'PENDING'",
        of(
            "worker",
            "collaboration.invitation.due",
            "SELECT",
            "work",
            "reads",
        ),
    ),
    only(
        "sender_account_id = '888888888888'",
        of(
            "app",
            "collaboration.invitation.partner",
            "SELECT",
            "partner",
            "reads",
        ),
    ),
    only(
        "sender_account_id = '888888888888'",
        of(
            "app",
            "collaboration.invitation.system_sent",
            "SELECT",
            "system",
            "reads",
        ),
    ),
    only(
        "NOT is_limited",
        of(
            "app",
            "collaboration.snapshot.aws_reads",
            "SELECT",
            "aws",
            "reads",
        ),
    ),
    only(
        "false",
        of(
            "app",
            "collaboration.snapshot.partner",
            "SELECT",
            "partner",
            "reads",
        ),
    ),
    only(
        "due_time IS NOT NULL",
        of(
            "worker",
            "collaboration.snapshot_job.due",
            "SELECT",
            "work",
            "reads",
        ),
    ),
    of(
        "app",
        "notification.contact.events_find_anyone",
        "SELECT",
        "system",
        "reads",
    ),
    of(
        "app",
        "notification.directory_account.events_find_anyone",
        "SELECT",
        "system",
        "reads",
    ),
    of(
        "app",
        "notification.directory_member.events_find_anyone",
        "SELECT",
        "system",
        "reads",
    ),
    of(
        "worker",
        "notification.mail.all_accounts",
        "ALL",
        "work",
        "reads changes",
    ),
    of(
        "app",
        "notification.mail.events_tell_anyone",
        "INSERT",
        "system",
        "adds",
    ),
    of(
        "app",
        "notification.notification.events_tell_anyone",
        "INSERT",
        "system",
        "adds",
    ),
    of(
        "app",
        "notification.preference.events_ask_anyone",
        "SELECT",
        "system",
        "reads",
    ),
    of(
        "app",
        "opportunity.aws_summary.aws_and_services_read",
        "SELECT",
        "aws service",
        "reads",
    ),
    only(
        NO_DRAFTS,
        of(
            "app",
            "opportunity.opportunity.aws_reads",
            "SELECT",
            "aws",
            "reads",
        ),
    ),
    only(
        NO_DRAFTS,
        of(
            "app",
            "opportunity.opportunity_revision.aws_and_services_read",
            "SELECT",
            "aws service",
            "reads",
        ),
    ),
    of(
        "worker",
        "opportunity.bulk_job.all_accounts",
        "SELECT",
        "work",
        "reads",
    ),
    only(
        "end_time < now() - interval '30 days'",
        of(
            "worker",
            "opportunity.bulk_job.forgets",
            "DELETE",
            "work",
            "deletes",
        ),
    ),
    of(
        "worker",
        "opportunity.bulk_key.all_accounts",
        "SELECT",
        "work",
        "reads",
    ),
    only(
        "time < now() - interval '30 days'",
        of(
            "worker",
            "opportunity.bulk_key.forgets",
            "DELETE",
            "work",
            "deletes",
        ),
    ),
    only(
        "member_account_id = '888888888888'",
        of(
            "app",
            "opportunity.opportunity_flag.aws_flags",
            "ALL",
            "aws",
            "reads deletes",
        ),
    ),
    only(
        "shown_to_aws",
        of(
            "app",
            "opportunity.opportunity_word.aws_reads",
            "SELECT",
            "aws",
            "reads",
        ),
    ),
    of("app", "partner.account.aws_reads", "SELECT", "aws", "reads"),
    of(
        "worker",
        "partner.connection_invitation.all_accounts",
        "SELECT",
        "work",
        "reads",
    ),
    // They are there to be found.
    only(
        "visibility = 'PUBLIC'",
        of(
            "app",
            "partner.profile.public_profiles",
            "SELECT",
            "partner aws service system",
            "reads",
        ),
    ),
    only(
        "is_converted",
        of("app", "referral.lead.services_read", "SELECT", "service", "reads"),
    ),
    only(
        "sender_account_id = '888888888888'",
        of("app", "referral.offer.aws", "SELECT", "aws", "reads"),
    ),
    only(
        "state = 'ACCEPTED'",
        of(
            "app",
            "referral.offer.services_read",
            "SELECT",
            "service",
            "reads",
        ),
    ),
    only(
        "due_time IS NOT NULL",
        of("worker", "referral.offer.due", "SELECT", "work", "reads"),
    ),
    of(
        "app",
        "referral.offer_deal.services_read",
        "SELECT",
        "service",
        "reads",
    ),
    of(
        "app",
        "review.review_case.aws",
        "ALL",
        "aws",
        "reads adds changes",
    ),
    of(
        "app",
        "review.review_case.services_read",
        "SELECT",
        "service",
        "reads",
    ),
    of("app", "review.submission.aws", "SELECT", "aws", "reads"),
    of(
        "app",
        "review.submission.services_read",
        "SELECT",
        "service",
        "reads",
    ),
];
