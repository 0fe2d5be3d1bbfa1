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

const fn of_invitation(verb: &'static str, rpc: &'static str) -> Command {
    one("engagement-invitations", verb, rpc, "engagement_invitation_id")
}

const fn of_channel(verb: &'static str, rpc: &'static str) -> Command {
    one("channels", verb, rpc, "channel_id")
}

const MEMBER: &[&str] = &[
    "member_id",
    "status",
    "roles",
    "person.first_name",
    "person.last_name",
    "person.email",
];

const CHANNEL: &[&str] = &["channel_id", "state", "opportunity_id", "requested_by", "link"];

const SNAPSHOT: &[&str] = &[
    "opportunity_id",
    "owner_account_id",
    "template",
    "revision",
    "create_time",
    "source_revision",
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
    ("referrals", "Deals and leads that AWS offers to partners"),
    (
        "offers",
        "Deals and leads of AWS that are offered to the own company",
    ),
    ("leads", "Customers who may have a deal, from AWS"),
    (
        "engagements",
        "Companies that work a deal together; sharing an opportunity begins one",
    ),
    (
        "engagement-invitations",
        "Invitations to work a deal together, sent and received",
    ),
    (
        "snapshots",
        "What members of an engagement see of each other's opportunities",
    ),
    ("channels", "Chats of a partner and AWS on a deal"),
    (
        "snapshot-jobs",
        "What makes snapshots when an opportunity has changed",
    ),
    ("notifications", "The own inbox, and what is sent by e-mail"),
];

/// One for each public RPC that does not stream; `directory apply` is the one for the RPC that does.
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
    one(
        "members",
        "transfer-alliance-lead",
        "TransferAllianceLead",
        "member_id",
    ),
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
    one(
        "opportunities",
        "transfer",
        "TransferOpportunities",
        "owner_member_id",
    ),
    one("opportunities", "associate", "AssociateEntity", "opportunity_id"),
    one(
        "opportunities",
        "disassociate",
        "DisassociateEntity",
        "opportunity_id",
    ),
    one("opportunities", "tag", "TagOpportunity", "opportunity_id"),
    one("opportunities", "untag", "UntagOpportunity", "opportunity_id"),
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
    one("referrals", "create", "CreateReferral", ""),
    one("referrals", "show", "GetReferral", "referral_id"),
    list(
        "referrals",
        "list",
        "ListReferrals",
        &[
            "referral_id",
            "state",
            "receiver_account_ids",
            "opportunity.project.title",
            "create_time",
        ],
    ),
    one("offers", "show", "GetReferralOffer", "referral_offer_id"),
    list(
        "offers",
        "list",
        "ListReferralOffers",
        &[
            "referral_offer_id",
            "state",
            "payload_type",
            "opportunity.customer_company_name",
            "opportunity.title",
            "lead.customer_company_name",
            "expire_time",
            "opportunity_id",
            "lead_id",
        ],
    ),
    one("offers", "accept", "AcceptReferralOffer", "referral_offer_id"),
    one(
        "offers",
        "batch-accept",
        "BatchAcceptReferralOffers",
        "referral_offer_ids",
    ),
    one("offers", "reject", "RejectReferralOffer", "referral_offer_id"),
    one("engagements", "share", "ShareOpportunity", "opportunity_id"),
    one("engagements", "show", "GetEngagement", "engagement_id"),
    list(
        "engagements",
        "list",
        "ListEngagements",
        &[
            "engagement_id",
            "title",
            "account_id",
            "member_count",
            "opportunity_id",
            "create_time",
        ],
    ),
    Command {
        subject: "engagement_id",
        ..list(
            "engagements",
            "members",
            "ListEngagementMembers",
            &[
                "account_id",
                "company_name",
                "state",
                "join_time",
                "opportunity_id",
            ],
        )
    },
    one(
        "engagements",
        "add-context",
        "CreateEngagementContext",
        "engagement_id",
    ),
    one(
        "engagements",
        "update-context",
        "UpdateEngagementContext",
        "engagement_id",
    ),
    one("engagements", "leave", "LeaveEngagement", "engagement_id"),
    one("engagements", "remove", "RemoveEngagementMember", "engagement_id"),
    list(
        "engagement-invitations",
        "list",
        "ListEngagementInvitations",
        &[
            "engagement_invitation_id",
            "state",
            "participant_type",
            "sender_company_name",
            "opportunity_invitation.project.title",
            "receiver_account_id",
            "expire_time",
        ],
    ),
    of_invitation("show", "GetEngagementInvitation"),
    of_invitation("accept", "AcceptEngagementInvitation"),
    of_invitation("reject", "RejectEngagementInvitation"),
    of_invitation("cancel", "CancelEngagementInvitation"),
    one("snapshots", "show", "GetResourceSnapshot", "opportunity_id"),
    Command {
        subject: "engagement_id",
        ..list("snapshots", "list", "ListResourceSnapshots", SNAPSHOT)
    },
    Command {
        subject: "engagement_id",
        ..list("snapshots", "resources", "ListEngagementResources", SNAPSHOT)
    },
    one("snapshot-jobs", "create", "CreateSnapshotJob", "opportunity_id"),
    one("snapshot-jobs", "show", "GetSnapshotJob", "snapshot_job_id"),
    list(
        "snapshot-jobs",
        "list",
        "ListSnapshotJobs",
        &[
            "snapshot_job_id",
            "engagement_id",
            "opportunity_id",
            "template",
            "state",
            "last_success_time",
            "last_failure",
        ],
    ),
    one("snapshot-jobs", "start", "StartSnapshotJob", "snapshot_job_id"),
    one("snapshot-jobs", "stop", "StopSnapshotJob", "snapshot_job_id"),
    one("snapshot-jobs", "delete", "DeleteSnapshotJob", "snapshot_job_id"),
    one("channels", "request", "RequestChannel", "opportunity_id"),
    list("channels", "list", "ListChannels", CHANNEL),
    of_channel("show", "GetChannel"),
    of_channel("approve", "ApproveChannel"),
    of_channel("decline", "DeclineChannel"),
    of_channel("add-members", "AddChannelMembers"),
    of_channel("join", "JoinChannel"),
    of_channel("leave", "LeaveChannel"),
    of_channel("archive", "ArchiveChannel"),
    one("channels", "preferences", "GetChannelPreferences", ""),
    one("channels", "set-preferences", "UpdateChannelPreferences", ""),
    list(
        "leads",
        "list",
        "ListLeads",
        &[
            "lead_id",
            "state",
            "custom_state",
            "details.customer_company_name",
            "owner_member_id",
            "opportunity_id",
        ],
    ),
    one("leads", "show", "GetLead", "lead_id"),
    one("leads", "set-state", "SetLeadState", "lead_id"),
    one("leads", "add-interaction", "AddLeadInteraction", "lead_id"),
    one("leads", "assign", "AssignLead", "lead_id"),
    one("leads", "convert", "ConvertLead", "lead_id"),
    list(
        "notifications",
        "list",
        "ListNotifications",
        &["notification_id", "kind", "create_time", "read_time", "subject"],
    ),
    one(
        "notifications",
        "read",
        "MarkNotificationsRead",
        "notification_ids",
    ),
    one("notifications", "unread", "GetUnreadCount", ""),
    one("notifications", "preferences", "GetNotificationPreferences", ""),
    one(
        "notifications",
        "set-preferences",
        "UpdateNotificationPreferences",
        "",
    ),
];
