//! The table of all commands that call RPCs.

use super::Command;

const fn command(
    noun: &'static str,
    verb: &'static str,
    rpc: &'static str,
    subject: &'static str,
) -> Command {
    Command {
        noun,
        verb,
        rpc,
        subject,
        columns: &[],
    }
}

const fn list_command(
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

const fn opportunity_command(verb: &'static str, rpc: &'static str) -> Command {
    command("opportunities", verb, rpc, "opportunity_id")
}

const fn engagement_invitation_command(verb: &'static str, rpc: &'static str) -> Command {
    command("engagement-invitations", verb, rpc, "engagement_invitation_id")
}

const fn channel_command(verb: &'static str, rpc: &'static str) -> Command {
    command("channels", verb, rpc, "channel_id")
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

/// All nouns with their help texts.
pub const NOUNS: &[(&str, &str)] = &[
    ("account", "The caller's partner account"),
    ("profile", "The profile that the account shows to other partners"),
    ("partners", "Other partners in the partner directory"),
    ("members", "Members of the account and their roles"),
    ("invitations", "Connection invitations, sent and received"),
    (
        "connections",
        "Connections with other partners, and preferences for invitations",
    ),
    ("opportunities", "Opportunities that are visible to the caller"),
    (
        "solutions",
        "Solutions of partners that opportunities can be associated with",
    ),
    (
        "products",
        "AWS products that opportunities can be associated with",
    ),
    ("reviews", "AWS's review of submitted opportunities"),
    ("referrals", "Opportunities and leads that AWS refers to partners"),
    ("offers", "Referral offers of AWS to the account"),
    ("leads", "Leads that the account has accepted from AWS"),
    (
        "engagements",
        "Engagements of partners on an opportunity; sharing an opportunity creates one",
    ),
    (
        "engagement-invitations",
        "Engagement invitations, sent and received",
    ),
    (
        "snapshots",
        "Snapshots of opportunities that members of an engagement share",
    ),
    ("channels", "Channels of a partner and AWS on an opportunity"),
    (
        "snapshot-jobs",
        "Jobs that create snapshots when an opportunity has changed",
    ),
    ("notifications", "The member's inbox and notification preferences"),
];

/// One command for each public unary RPC. `directory apply`, `import` and `export` call the streaming RPCs.
pub const COMMANDS: &[Command] = &[
    command("account", "show", "GetAccount", ""),
    command("account", "accept-terms", "AcceptTerms", ""),
    command("profile", "update", "UpdateProfile", ""),
    command("profile", "set-visibility", "SetProfileVisibility", "visibility"),
    list_command(
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
    command("partners", "show", "GetPartner", "profile_id"),
    list_command("members", "list", "ListMembers", MEMBER),
    list_command("members", "assignable", "ListAssignableMembers", MEMBER),
    command("members", "show", "GetMember", "member_id"),
    command("members", "invite", "InviteMember", ""),
    command("members", "join", "AcceptMembership", ""),
    command("members", "update", "UpdateMember", "member_id"),
    command("members", "set-roles", "SetMemberRoles", "member_id"),
    command("members", "deactivate", "DeactivateMember", "member_id"),
    command(
        "members",
        "transfer-alliance-lead",
        "TransferAllianceLead",
        "member_id",
    ),
    list_command(
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
    command(
        "invitations",
        "show",
        "GetConnectionInvitation",
        "connection_invitation_id",
    ),
    command("invitations", "send", "CreateConnectionInvitation", "receiver_id"),
    command(
        "invitations",
        "accept",
        "AcceptConnectionInvitation",
        "connection_invitation_id",
    ),
    command(
        "invitations",
        "reject",
        "RejectConnectionInvitation",
        "connection_invitation_id",
    ),
    command(
        "invitations",
        "cancel",
        "CancelConnectionInvitation",
        "connection_invitation_id",
    ),
    list_command(
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
    command("connections", "show", "GetConnection", "connection_id"),
    command("connections", "cancel", "CancelConnection", "connection_id"),
    command("connections", "preferences", "GetConnectionPreferences", ""),
    command(
        "connections",
        "set-preferences",
        "UpdateConnectionPreferences",
        "access_type",
    ),
    list_command(
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
    opportunity_command("show", "GetOpportunity"),
    command("opportunities", "create", "CreateOpportunity", ""),
    opportunity_command("update", "UpdateOpportunity"),
    opportunity_command("submit", "SubmitOpportunity"),
    opportunity_command("withdraw", "WithdrawSubmission"),
    opportunity_command("discard", "DiscardDraft"),
    opportunity_command("actions", "GetAllowedActions"),
    opportunity_command("stage", "ChangeStage"),
    opportunity_command("correct-closed", "CorrectClosedOpportunity"),
    opportunity_command("reopen", "ReopenOpportunity"),
    opportunity_command("next-step", "AddNextStep"),
    list_command("opportunities", "next-steps", "ListNextSteps", &["time", "value"]),
    opportunity_command("clone", "CloneOpportunity"),
    opportunity_command("assign", "AssignOpportunity"),
    command("opportunities", "template", "GetImportTemplate", ""),
    command(
        "opportunities",
        "transfer",
        "TransferOpportunities",
        "owner_member_id",
    ),
    opportunity_command("associate", "AssociateEntity"),
    opportunity_command("disassociate", "DisassociateEntity"),
    opportunity_command("tag", "TagOpportunity"),
    opportunity_command("untag", "UntagOpportunity"),
    list_command(
        "solutions",
        "list",
        "ListSolutions",
        &["solution_id", "status", "category", "name"],
    ),
    command("solutions", "apply", "ApplySolutions", "account_id"),
    list_command(
        "products",
        "list",
        "ListProducts",
        &["product_id", "family", "name"],
    ),
    command("products", "apply", "ApplyProducts", ""),
    list_command(
        "opportunities",
        "values",
        "ListStandardValues",
        &["name", "values.value", "values.label"],
    ),
    opportunity_command("aws-summary", "GetAwsOpportunitySummary"),
    opportunity_command("update-aws-summary", "UpdateAwsOpportunitySummary"),
    command("opportunities", "count", "CountOpportunities", ""),
    opportunity_command("flag", "FlagOpportunity"),
    Command {
        subject: "opportunity_id",
        ..list_command(
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
    opportunity_command("diff", "DiffRevisions"),
    list_command(
        "reviews",
        "list",
        "ListReviewCases",
        &[
            "review_case_id",
            "state",
            "round",
            "customer_company_name",
            "project_title",
            "submit_time",
            "assignee_member_id",
            "opportunity_id",
        ],
    ),
    command("reviews", "show", "GetReviewCase", "review_case_id"),
    command("reviews", "claim", "ClaimReviewCase", "review_case_id"),
    command("reviews", "start", "StartReview", "review_case_id"),
    command("reviews", "decide", "DecideReview", "review_case_id"),
    command("referrals", "create", "CreateReferral", ""),
    command("referrals", "show", "GetReferral", "referral_id"),
    list_command(
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
    command("offers", "show", "GetReferralOffer", "referral_offer_id"),
    list_command(
        "offers",
        "list",
        "ListReferralOffers",
        &[
            "referral_offer_id",
            "state",
            "payload_type",
            "opportunity.customer_company_name|lead.customer_company_name",
            "opportunity.title",
            "expire_time",
            "opportunity_id",
            "lead_id",
        ],
    ),
    command("offers", "accept", "AcceptReferralOffer", "referral_offer_id"),
    command(
        "offers",
        "batch-accept",
        "BatchAcceptReferralOffers",
        "referral_offer_ids",
    ),
    command("offers", "reject", "RejectReferralOffer", "referral_offer_id"),
    command("engagements", "share", "ShareOpportunity", "opportunity_id"),
    command("engagements", "show", "GetEngagement", "engagement_id"),
    list_command(
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
        ..list_command(
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
    command(
        "engagements",
        "add-context",
        "CreateEngagementContext",
        "engagement_id",
    ),
    command(
        "engagements",
        "update-context",
        "UpdateEngagementContext",
        "engagement_id",
    ),
    command("engagements", "leave", "LeaveEngagement", "engagement_id"),
    command("engagements", "remove", "RemoveEngagementMember", "engagement_id"),
    list_command(
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
    engagement_invitation_command("show", "GetEngagementInvitation"),
    engagement_invitation_command("accept", "AcceptEngagementInvitation"),
    engagement_invitation_command("reject", "RejectEngagementInvitation"),
    engagement_invitation_command("cancel", "CancelEngagementInvitation"),
    command("snapshots", "show", "GetResourceSnapshot", "opportunity_id"),
    Command {
        subject: "engagement_id",
        ..list_command("snapshots", "list", "ListResourceSnapshots", SNAPSHOT)
    },
    Command {
        subject: "engagement_id",
        ..list_command("snapshots", "resources", "ListEngagementResources", SNAPSHOT)
    },
    command("snapshot-jobs", "create", "CreateSnapshotJob", "opportunity_id"),
    command("snapshot-jobs", "show", "GetSnapshotJob", "snapshot_job_id"),
    list_command(
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
    command("snapshot-jobs", "start", "StartSnapshotJob", "snapshot_job_id"),
    command("snapshot-jobs", "stop", "StopSnapshotJob", "snapshot_job_id"),
    command("snapshot-jobs", "delete", "DeleteSnapshotJob", "snapshot_job_id"),
    command("channels", "request", "RequestChannel", "opportunity_id"),
    list_command("channels", "list", "ListChannels", CHANNEL),
    channel_command("show", "GetChannel"),
    channel_command("approve", "ApproveChannel"),
    channel_command("decline", "DeclineChannel"),
    channel_command("add-members", "AddChannelMembers"),
    channel_command("join", "JoinChannel"),
    channel_command("leave", "LeaveChannel"),
    channel_command("archive", "ArchiveChannel"),
    command("channels", "preferences", "GetChannelPreferences", ""),
    command("channels", "set-preferences", "UpdateChannelPreferences", ""),
    list_command(
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
    command("leads", "show", "GetLead", "lead_id"),
    command("leads", "set-state", "SetLeadState", "lead_id"),
    command("leads", "add-interaction", "AddLeadInteraction", "lead_id"),
    command("leads", "assign", "AssignLead", "lead_id"),
    command("leads", "convert", "ConvertLead", "lead_id"),
    list_command(
        "notifications",
        "list",
        "ListNotifications",
        &["notification_id", "kind", "create_time", "read_time", "subject"],
    ),
    command(
        "notifications",
        "read",
        "MarkNotificationsRead",
        "notification_ids",
    ),
    command("notifications", "unread", "GetUnreadCount", ""),
    command("notifications", "preferences", "GetNotificationPreferences", ""),
    command(
        "notifications",
        "set-preferences",
        "UpdateNotificationPreferences",
        "",
    ),
];
