//! The access matrix: the callers that each RPC permits. Written manually, so that tests can compare the services with
//! it.

use std::collections::BTreeMap;

use Role::{
    AccountOwner, AceManager, AceUser, AllianceLead, AllianceTeam, CloudAdmin, IsvSuccessManager,
    MarketingStaff, Pdm, Psm, Reviewer, SalesRepresentative, TechnicalStaff, WwpsPdm,
};
use cosell_types::{ClosedList as _, Role};

/// Partner roles that may submit an opportunity to AWS.
const SUBMITTERS: [Role; 5] = [AllianceLead, AllianceTeam, AceManager, MarketingStaff, AceUser];
/// The pipeline roles of partners.
const PIPELINE_ROLES: [Role; 6] = [
    AllianceLead,
    AllianceTeam,
    AceManager,
    MarketingStaff,
    AceUser,
    TechnicalStaff,
];
/// Partner roles that represent their account to others.
const REPRESENTATIVES: [Role; 2] = [AllianceLead, AllianceTeam];
/// Partner roles that administer the members of their account.
const ADMINISTRATORS: [Role; 3] = [AllianceLead, AllianceTeam, CloudAdmin];
/// AWS roles that may read opportunities.
const VIEWERS: [Role; 7] = [
    Reviewer,
    SalesRepresentative,
    AccountOwner,
    Pdm,
    WwpsPdm,
    Psm,
    IsvSuccessManager,
];

/// The sales roles of AWS.
const SALES_ROLES: [Role; 6] = [
    SalesRepresentative,
    AccountOwner,
    Pdm,
    WwpsPdm,
    Psm,
    IsvSuccessManager,
];
/// Partner roles with access to all opportunities of their account.
const ACCOUNT_WIDE_ROLES: [Role; 3] = [AllianceLead, AllianceTeam, AceManager];

/// The callers that an RPC permits.
pub struct AllowedCallers {
    pub roles: Vec<Role>,
    /// Members without a role.
    pub without_role: bool,
    /// Members that were invited and have not joined. Only the directory knows them.
    pub invited: bool,
    /// Whether every service may call it.
    pub services: bool,
    /// The names of the services that may call it, besides.
    pub named_services: Vec<&'static str>,
}

impl AllowedCallers {
    /// Whether the service with this name may call the RPC.
    pub fn permits_service(&self, name: &str) -> bool {
        self.services || self.named_services.contains(&name)
    }
}

fn only(roles: &[&[Role]]) -> AllowedCallers {
    AllowedCallers {
        roles: roles.concat(),
        without_role: false,
        invited: false,
        services: false,
        named_services: Vec::new(),
    }
}

fn or_services(mut allowed: AllowedCallers) -> AllowedCallers {
    allowed.services = true;
    allowed
}

fn or_service(name: &'static str, mut allowed: AllowedCallers) -> AllowedCallers {
    allowed.named_services.push(name);
    allowed
}

fn by_services(names: &[&'static str]) -> AllowedCallers {
    AllowedCallers {
        named_services: names.to_vec(),
        ..only(&[])
    }
}

fn or_invited(mut allowed: AllowedCallers) -> AllowedCallers {
    allowed.invited = true;
    allowed
}

fn every_member() -> AllowedCallers {
    AllowedCallers {
        roles: Role::ALL.to_vec(),
        without_role: true,
        ..only(&[])
    }
}

/// The allowed callers by RPC name.
pub fn access_matrix() -> BTreeMap<&'static str, AllowedCallers> {
    let opportunities = [
        ("CreateOpportunity", only(&[&PIPELINE_ROLES])),
        ("GetOpportunity", or_services(only(&[&PIPELINE_ROLES, &VIEWERS]))),
        ("ListOpportunities", only(&[&PIPELINE_ROLES, &VIEWERS])),
        ("UpdateOpportunity", only(&[&PIPELINE_ROLES])),
        ("SubmitOpportunity", only(&[&SUBMITTERS])),
        ("WithdrawSubmission", only(&[&SUBMITTERS])),
        ("DiscardDraft", only(&[&PIPELINE_ROLES])),
        ("GetAllowedActions", only(&[&PIPELINE_ROLES, &VIEWERS])),
        ("ListStandardValues", or_services(every_member())),
        (
            "GetAwsOpportunitySummary",
            or_service("crm", only(&[&PIPELINE_ROLES, &VIEWERS])),
        ),
        (
            "UpdateAwsOpportunitySummary",
            or_service("crm", only(&[&[SalesRepresentative, AccountOwner]])),
        ),
        ("CheckReferredOpportunity", by_services(&["referral"])),
        (
            "GetOpportunityForAccount",
            by_services(&["collaboration", "notification"]),
        ),
        ("ChangeStage", only(&[&PIPELINE_ROLES])),
        ("CorrectClosedOpportunity", only(&[&PIPELINE_ROLES])),
        ("ReopenOpportunity", only(&[&[Reviewer, AccountOwner]])),
        ("AddNextStep", only(&[&PIPELINE_ROLES])),
        ("ListNextSteps", only(&[&PIPELINE_ROLES, &VIEWERS])),
        ("CloneOpportunity", only(&[&PIPELINE_ROLES])),
        ("AssignOpportunity", only(&[&PIPELINE_ROLES])),
        ("AssociateEntity", only(&[&PIPELINE_ROLES])),
        ("DisassociateEntity", only(&[&PIPELINE_ROLES])),
        ("TagOpportunity", only(&[&PIPELINE_ROLES])),
        ("UntagOpportunity", only(&[&PIPELINE_ROLES])),
        ("ListSolutions", only(&[&PIPELINE_ROLES])),
        ("ListProducts", or_services(every_member())),
        ("ApplySolutions", by_services(&["provisioner"])),
        ("ApplyProducts", by_services(&["provisioner"])),
        ("ImportOpportunities", only(&[&PIPELINE_ROLES])),
        ("GetImportTemplate", only(&[&PIPELINE_ROLES])),
        ("DownloadImportResult", only(&[&PIPELINE_ROLES])),
        ("ExportOpportunities", only(&[&PIPELINE_ROLES])),
        ("TransferOpportunities", only(&[&PIPELINE_ROLES])),
        ("GetOperation", only(&[&PIPELINE_ROLES])),
        ("ListOperations", only(&[&PIPELINE_ROLES])),
        ("WaitOperation", only(&[&PIPELINE_ROLES])),
        ("CancelOperation", only(&[&PIPELINE_ROLES])),
        ("DeleteOperation", only(&[&PIPELINE_ROLES])),
        ("CountOpportunities", only(&[&PIPELINE_ROLES, &VIEWERS])),
        ("FlagOpportunity", only(&[&PIPELINE_ROLES, &VIEWERS])),
        ("ListRevisions", only(&[&PIPELINE_ROLES, &VIEWERS])),
        ("DiffRevisions", only(&[&PIPELINE_ROLES, &VIEWERS])),
    ];
    let reviews = [
        ("ListReviewCases", only(&[&[Reviewer]])),
        ("GetReviewCase", or_services(only(&[&[Reviewer]]))),
        ("ClaimReviewCase", only(&[&[Reviewer]])),
        ("StartReview", only(&[&[Reviewer]])),
        ("DecideReview", only(&[&[Reviewer]])),
    ];
    let referrals = [
        ("CreateReferral", only(&[&SALES_ROLES])),
        ("GetReferral", only(&[&SALES_ROLES])),
        ("ListReferrals", only(&[&SALES_ROLES])),
        ("GetReferralOffer", only(&[&ACCOUNT_WIDE_ROLES])),
        ("ListReferralOffers", only(&[&ACCOUNT_WIDE_ROLES])),
        ("AcceptReferralOffer", only(&[&ACCOUNT_WIDE_ROLES])),
        ("BatchAcceptReferralOffers", only(&[&ACCOUNT_WIDE_ROLES])),
        ("RejectReferralOffer", only(&[&ACCOUNT_WIDE_ROLES])),
        ("GetAcceptedOpportunity", by_services(&["opportunity"])),
        ("GetLead", only(&[&PIPELINE_ROLES])),
        ("ListLeads", only(&[&PIPELINE_ROLES])),
        ("SetLeadState", only(&[&PIPELINE_ROLES])),
        ("AddLeadInteraction", only(&[&PIPELINE_ROLES])),
        ("AssignLead", only(&[&PIPELINE_ROLES])),
        ("ConvertLead", only(&[&PIPELINE_ROLES])),
        ("GetConvertedLead", by_services(&["opportunity"])),
        ("GetReferralOfferForAccount", by_services(&["notification"])),
        ("GetReferralForAccount", by_services(&["notification"])),
        ("GetLeadForAccount", by_services(&["notification"])),
    ];
    let engagements = [
        ("ShareOpportunity", only(&[&PIPELINE_ROLES])),
        ("GetEngagementInvitation", only(&[&PIPELINE_ROLES, &SALES_ROLES])),
        (
            "ListEngagementInvitations",
            only(&[&ACCOUNT_WIDE_ROLES, &SALES_ROLES]),
        ),
        ("AcceptEngagementInvitation", only(&[&ACCOUNT_WIDE_ROLES])),
        ("RejectEngagementInvitation", only(&[&ACCOUNT_WIDE_ROLES])),
        ("CancelEngagementInvitation", only(&[&PIPELINE_ROLES])),
        ("GetEngagement", only(&[&PIPELINE_ROLES, &SALES_ROLES])),
        ("ListEngagements", only(&[&PIPELINE_ROLES, &SALES_ROLES])),
        ("ListEngagementMembers", only(&[&PIPELINE_ROLES, &SALES_ROLES])),
        ("CreateEngagementContext", only(&[&PIPELINE_ROLES])),
        ("UpdateEngagementContext", only(&[&PIPELINE_ROLES])),
        ("LeaveEngagement", only(&[&PIPELINE_ROLES])),
        ("RemoveEngagementMember", only(&[&PIPELINE_ROLES])),
        ("GetResourceSnapshot", only(&[&PIPELINE_ROLES, &SALES_ROLES])),
        ("ListResourceSnapshots", only(&[&PIPELINE_ROLES, &SALES_ROLES])),
        ("ListEngagementResources", only(&[&PIPELINE_ROLES, &SALES_ROLES])),
        ("CreateSnapshotJob", only(&[&PIPELINE_ROLES])),
        ("GetSnapshotJob", only(&[&PIPELINE_ROLES])),
        ("ListSnapshotJobs", only(&[&PIPELINE_ROLES])),
        ("StartSnapshotJob", only(&[&PIPELINE_ROLES])),
        ("StopSnapshotJob", only(&[&PIPELINE_ROLES])),
        ("DeleteSnapshotJob", only(&[&PIPELINE_ROLES])),
        ("RequestChannel", only(&[&PIPELINE_ROLES])),
        (
            "GetChannel",
            or_service("notification", only(&[&PIPELINE_ROLES, &SALES_ROLES])),
        ),
        ("ListChannels", only(&[&PIPELINE_ROLES, &SALES_ROLES])),
        ("ApproveChannel", only(&[&[AccountOwner]])),
        ("DeclineChannel", only(&[&[AccountOwner]])),
        ("AddChannelMembers", only(&[&[AccountOwner]])),
        ("JoinChannel", only(&[&PIPELINE_ROLES, &SALES_ROLES])),
        ("LeaveChannel", only(&[&PIPELINE_ROLES, &SALES_ROLES])),
        ("ArchiveChannel", only(&[&[AccountOwner]])),
        ("GetChannelPreferences", only(&[&PIPELINE_ROLES, &SALES_ROLES])),
        ("UpdateChannelPreferences", only(&[&PIPELINE_ROLES, &SALES_ROLES])),
        ("GetChannelInvitation", by_services(&["notification"])),
        (
            "GetEngagementInvitationForAccount",
            by_services(&["notification"]),
        ),
    ];
    let notifications = [
        ("ListNotifications", every_member()),
        ("MarkNotificationsRead", every_member()),
        ("GetUnreadCount", every_member()),
        ("GetNotificationPreferences", every_member()),
        ("UpdateNotificationPreferences", every_member()),
    ];
    let partners = [
        ("GetAccount", or_services(or_invited(every_member()))),
        ("AcceptTerms", only(&[&[AllianceLead]])),
        ("UpdateProfile", only(&[&REPRESENTATIVES])),
        ("SetProfileVisibility", only(&[&REPRESENTATIVES])),
        ("GetPartner", only(&[&PIPELINE_ROLES, &VIEWERS])),
        ("ListPartners", only(&[&PIPELINE_ROLES, &VIEWERS])),
        ("InviteMember", only(&[&ADMINISTRATORS])),
        ("AcceptMembership", or_invited(every_member())),
        ("GetMember", or_services(or_invited(every_member()))),
        ("ListMembers", only(&[&PIPELINE_ROLES, &VIEWERS, &[CloudAdmin]])),
        ("ListAssignableMembers", only(&[&PIPELINE_ROLES])),
        ("UpdateMember", or_invited(every_member())),
        ("SetMemberRoles", only(&[&ADMINISTRATORS])),
        ("DeactivateMember", only(&[&ADMINISTRATORS])),
        ("TransferAllianceLead", only(&[&[AllianceLead]])),
        ("CreateConnectionInvitation", only(&[&REPRESENTATIVES])),
        ("GetConnectionInvitation", or_services(only(&[&PIPELINE_ROLES]))),
        ("ListConnectionInvitations", only(&[&PIPELINE_ROLES])),
        ("AcceptConnectionInvitation", only(&[&REPRESENTATIVES])),
        ("RejectConnectionInvitation", only(&[&REPRESENTATIVES])),
        ("CancelConnectionInvitation", only(&[&REPRESENTATIVES])),
        ("GetConnection", only(&[&PIPELINE_ROLES])),
        ("ListConnections", only(&[&PIPELINE_ROLES])),
        ("CancelConnection", only(&[&REPRESENTATIVES])),
        ("GetConnectionPreferences", only(&[&PIPELINE_ROLES])),
        ("UpdateConnectionPreferences", only(&[&REPRESENTATIVES])),
        ("ApplyDirectory", by_services(&["provisioner"])),
    ];
    opportunities
        .into_iter()
        .chain(partners)
        .chain(reviews)
        .chain(referrals)
        .chain(engagements)
        .chain(notifications)
        .collect()
}
