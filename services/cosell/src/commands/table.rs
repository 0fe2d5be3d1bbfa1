//! All commands.

use super::Command;

const fn one(noun: &'static str, verb: &'static str, rpc: &'static str, subject: &'static str) -> Command {
    Command {
        noun,
        verb,
        rpc,
        subject,
        columns: &[],
    }
}

const fn list(
    noun: &'static str,
    verb: &'static str,
    rpc: &'static str,
    columns: &'static [&'static str],
) -> Command {
    Command {
        noun,
        verb,
        rpc,
        subject: "",
        columns,
    }
}

const MEMBER: &[&str] = &[
    "member_id",
    "status",
    "roles",
    "person.first_name",
    "person.last_name",
    "person.email",
];

/// What commands are about.
pub const NOUNS: &[(&str, &str)] = &[
    ("account", "The own company"),
    (
        "profile",
        "What the own company tells other partners about itself",
    ),
    ("partners", "Other partners, as the directory shows them"),
    ("members", "Who works for the own company, and as what"),
    ("invitations", "Invitations to connect, sent and received"),
    (
        "connections",
        "Other partners that the own company is connected with, and whose invitations it takes",
    ),
    ("opportunities", "Deals"),
    (
        "solutions",
        "Solutions that partners have registered, for deals to name",
    ),
    ("products", "Products of AWS, for deals to name"),
    ("reviews", "AWS's review of what partners submit"),
    ("notifications", "The own inbox, and what is sent by e-mail"),
];

/// One for each RPC that does not stream; `directory apply` is the one for the RPC that does.
pub const COMMANDS: &[Command] = &[
    one("account", "show", "GetAccount", ""),
    one("account", "accept-terms", "AcceptTerms", ""),
    one("profile", "update", "UpdateProfile", ""),
    one("profile", "set-visibility", "SetProfileVisibility", "visibility"),
    list(
        "partners",
        "list",
        "ListPartners",
        &[
            "profile.profile_id",
            "profile.display_name",
            "partner_types",
            "tier",
            "profile.headquarters_country_code",
            "connected",
        ],
    ),
    one("partners", "show", "GetPartner", "profile_id"),
    list("members", "list", "ListMembers", MEMBER),
    list("members", "assignable", "ListAssignableMembers", MEMBER),
    one("members", "show", "GetMember", "member_id"),
    one("members", "invite", "InviteMember", ""),
    one("members", "join", "AcceptMembership", ""),
    one("members", "update", "UpdateMember", "member_id"),
    one("members", "set-roles", "SetMemberRoles", "member_id"),
    one("members", "deactivate", "DeactivateMember", "member_id"),
    one("members", "hand-over-lead", "HandOverAllianceLead", "member_id"),
    list(
        "invitations",
        "list",
        "ListConnectionInvitations",
        &[
            "connection_invitation_id",
            "type",
            "status",
            "participant_type",
            "other_company_name",
            "create_time",
            "expire_time",
        ],
    ),
    one(
        "invitations",
        "show",
        "GetConnectionInvitation",
        "connection_invitation_id",
    ),
    one("invitations", "send", "CreateConnectionInvitation", "receiver_id"),
    one(
        "invitations",
        "accept",
        "AcceptConnectionInvitation",
        "connection_invitation_id",
    ),
    one(
        "invitations",
        "reject",
        "RejectConnectionInvitation",
        "connection_invitation_id",
    ),
    one(
        "invitations",
        "cancel",
        "CancelConnectionInvitation",
        "connection_invitation_id",
    ),
    list(
        "connections",
        "list",
        "ListConnections",
        &[
            "connection_id",
            "status",
            "other_account_id",
            "other_company_name",
            "create_time",
        ],
    ),
    one("connections", "show", "GetConnection", "connection_id"),
    one("connections", "cancel", "CancelConnection", "connection_id"),
    one("connections", "preferences", "GetConnectionPreferences", ""),
    one(
        "connections",
        "set-preferences",
        "UpdateConnectionPreferences",
        "access_type",
    ),
    list(
        "opportunities",
        "list",
        "ListOpportunities",
        &[
            "opportunity_id",
            "life_cycle.review_status",
            "life_cycle.stage",
            "customer.account.company_name",
            "project.title",
            "life_cycle.target_close_date",
        ],
    ),
    one("opportunities", "show", "GetOpportunity", "opportunity_id"),
    one("opportunities", "create", "CreateOpportunity", ""),
    one("opportunities", "update", "UpdateOpportunity", "opportunity_id"),
    one("opportunities", "submit", "SubmitOpportunity", "opportunity_id"),
    one(
        "opportunities",
        "withdraw",
        "WithdrawSubmission",
        "opportunity_id",
    ),
    one("opportunities", "discard", "DiscardDraft", "opportunity_id"),
    one("opportunities", "actions", "GetAllowedActions", "opportunity_id"),
    one("opportunities", "stage", "ChangeStage", "opportunity_id"),
    one("opportunities", "reopen", "ReopenOpportunity", "opportunity_id"),
    one("opportunities", "next-step", "AddNextStep", "opportunity_id"),
    list("opportunities", "next-steps", "ListNextSteps", &["time", "value"]),
    one("opportunities", "clone", "CloneOpportunity", "opportunity_id"),
    one("opportunities", "assign", "AssignOpportunity", "opportunity_id"),
    one("opportunities", "template", "GetImportTemplate", ""),
    one("opportunities", "transfer", "TransferOpportunities", "member_id"),
    one("opportunities", "associate", "AssociateEntity", "opportunity_id"),
    one(
        "opportunities",
        "disassociate",
        "DisassociateEntity",
        "opportunity_id",
    ),
    list(
        "solutions",
        "list",
        "ListSolutions",
        &["solution_id", "status", "category", "name"],
    ),
    one("solutions", "apply", "ApplySolutions", "account_id"),
    list(
        "products",
        "list",
        "ListProducts",
        &["product_id", "family", "name"],
    ),
    one("products", "apply", "ApplyProducts", ""),
    list(
        "opportunities",
        "values",
        "ListStandardValues",
        &["name", "values.value", "values.label"],
    ),
    one(
        "opportunities",
        "aws-summary",
        "GetAwsOpportunitySummary",
        "opportunity_id",
    ),
    one(
        "opportunities",
        "update-aws-summary",
        "UpdateAwsOpportunitySummary",
        "opportunity_id",
    ),
    one("opportunities", "count", "CountOpportunities", ""),
    one("opportunities", "flag", "FlagOpportunity", "opportunity_id"),
    Command {
        subject: "opportunity_id",
        ..list(
            "opportunities",
            "history",
            "ListRevisions",
            &[
                "revision",
                "time",
                "actor_member_id",
                "action",
                "changed_fields",
                "review_status",
                "stage",
            ],
        )
    },
    one("opportunities", "diff", "DiffRevisions", "opportunity_id"),
    list(
        "reviews",
        "list",
        "ListReviewCases",
        &[
            "review_case_id",
            "state",
            "round",
            "opportunity_id",
            "account_id",
            "assignee_member_id",
            "submit_time",
        ],
    ),
    one("reviews", "show", "GetReviewCase", "review_case_id"),
    one("reviews", "claim", "ClaimReviewCase", "review_case_id"),
    one("reviews", "start", "StartReview", "review_case_id"),
    one("reviews", "decide", "DecideReview", "review_case_id"),
    list(
        "notifications",
        "list",
        "ListNotifications",
        &["notification_id", "kind", "create_time", "read_time", "subject"],
    ),
    one("notifications", "read", "MarkRead", "notification_ids"),
    one("notifications", "unread", "GetUnreadCount", ""),
    one("notifications", "preferences", "GetPreferences", ""),
    one("notifications", "set-preferences", "UpdatePreferences", ""),
];
