//! The table: who may call what. Written by hand; the tests hold every RPC against it.

use std::collections::BTreeMap;

use Role::{
    AccountOwner, AceManager, AceUser, AllianceLead, AllianceTeam, CloudAdmin, IsvSuccessManager,
    MarketingStaff, Pdm, Psm, Reviewer, SalesRepresentative, TechnicalStaff, WwpsPdm,
};
use cosell_types::{ClosedList as _, Role};

/// Partners who may hand a record to AWS.
const SUBMITTERS: [Role; 5] = [AllianceLead, AllianceTeam, AceManager, MarketingStaff, AceUser];
/// Partners who keep records.
const KEEPERS: [Role; 6] = [
    AllianceLead,
    AllianceTeam,
    AceManager,
    MarketingStaff,
    AceUser,
    TechnicalStaff,
];
/// Partners who speak for their company.
const REPRESENTATIVES: [Role; 2] = [AllianceLead, AllianceTeam];
/// Partners who decide who works for their company.
const ADMINISTRATORS: [Role; 3] = [AllianceLead, AllianceTeam, CloudAdmin];
/// AWS people who see records.
const VIEWERS: [Role; 7] = [
    Reviewer,
    SalesRepresentative,
    AccountOwner,
    Pdm,
    WwpsPdm,
    Psm,
    IsvSuccessManager,
];

/// AWS people who sell or look after partners.
const SELLERS: [Role; 6] = [
    SalesRepresentative,
    AccountOwner,
    Pdm,
    WwpsPdm,
    Psm,
    IsvSuccessManager,
];
/// Partners who see the whole pipeline.
const PIPELINE: [Role; 4] = [AllianceLead, AllianceTeam, AceManager, MarketingStaff];

/// Who may make a call.
pub struct Allowed {
    pub roles: Vec<Role>,
    /// A member without any role.
    pub nobody: bool,
    /// Somebody who was invited and has not joined yet. Elsewhere these are not known as members at all.
    pub invited: bool,
    pub services: bool,
    /// The service that is named for provisioning.
    pub provisioner: bool,
    /// The service that is named for AWS's customer relationship management.
    pub crm: bool,
    /// The opportunity service.
    pub opportunity: bool,
    /// The collaboration service.
    pub collaboration: bool,
    /// The notification service.
    pub notification: bool,
    /// The referral service.
    pub referral: bool,
}

fn only(roles: &[&[Role]]) -> Allowed {
    Allowed {
        roles: roles.concat(),
        nobody: false,
        invited: false,
        services: false,
        provisioner: false,
        crm: false,
        opportunity: false,
        collaboration: false,
        notification: false,
        referral: false,
    }
}

fn or_services(mut allowed: Allowed) -> Allowed {
    allowed.services = true;
    allowed
}

fn by_provisioner() -> Allowed {
    Allowed {
        provisioner: true,
        ..only(&[])
    }
}

fn by_opportunity() -> Allowed {
    Allowed {
        opportunity: true,
        ..only(&[])
    }
}

fn by_collaboration() -> Allowed {
    Allowed {
        collaboration: true,
        ..only(&[])
    }
}

fn by_referral() -> Allowed {
    Allowed {
        referral: true,
        ..only(&[])
    }
}

fn or_notification(mut allowed: Allowed) -> Allowed {
    allowed.notification = true;
    allowed
}

fn or_crm(mut allowed: Allowed) -> Allowed {
    allowed.crm = true;
    allowed
}

fn or_invited(mut allowed: Allowed) -> Allowed {
    allowed.invited = true;
    allowed
}

fn every_member() -> Allowed {
    Allowed {
        roles: Role::ALL.to_vec(),
        nobody: true,
        ..only(&[])
    }
}

/// The table.
pub fn table() -> BTreeMap<&'static str, Allowed> {
    let opportunities = [
        ("CreateOpportunity", only(&[&KEEPERS])),
        ("GetOpportunity", or_services(only(&[&KEEPERS, &VIEWERS]))),
        ("ListOpportunities", only(&[&KEEPERS, &VIEWERS])),
        ("UpdateOpportunity", only(&[&KEEPERS])),
        ("SubmitOpportunity", only(&[&SUBMITTERS])),
        ("WithdrawSubmission", only(&[&SUBMITTERS])),
        ("DiscardDraft", only(&[&KEEPERS])),
        ("GetAllowedActions", only(&[&KEEPERS, &VIEWERS])),
        ("ListStandardValues", or_services(every_member())),
        ("GetAwsOpportunitySummary", or_crm(only(&[&KEEPERS, &VIEWERS]))),
        (
            "UpdateAwsOpportunitySummary",
            or_crm(only(&[&[SalesRepresentative, AccountOwner]])),
        ),
        ("CheckReferredOpportunity", by_referral()),
        ("GetOpportunityForAccount", by_collaboration()),
        ("ChangeStage", only(&[&KEEPERS])),
        ("ReopenOpportunity", only(&[&[Reviewer, AccountOwner]])),
        ("AddNextStep", only(&[&KEEPERS])),
        ("ListNextSteps", only(&[&KEEPERS, &VIEWERS])),
        ("CloneOpportunity", only(&[&KEEPERS])),
        ("AssignOpportunity", only(&[&KEEPERS])),
        ("AssociateEntity", only(&[&KEEPERS])),
        ("DisassociateEntity", only(&[&KEEPERS])),
        ("TagOpportunity", only(&[&KEEPERS])),
        ("UntagOpportunity", only(&[&KEEPERS])),
        ("ListSolutions", only(&[&KEEPERS])),
        ("ListProducts", or_services(every_member())),
        ("ApplySolutions", by_provisioner()),
        ("ApplyProducts", by_provisioner()),
        ("ImportOpportunities", only(&[&KEEPERS])),
        ("GetImportTemplate", only(&[&KEEPERS])),
        ("DownloadImportResult", only(&[&KEEPERS])),
        ("ExportOpportunities", only(&[&KEEPERS])),
        ("TransferOpportunities", only(&[&KEEPERS])),
        ("GetOperation", only(&[&KEEPERS])),
        ("ListOperations", only(&[&KEEPERS])),
        ("WaitOperation", only(&[&KEEPERS])),
        ("CancelOperation", only(&[&KEEPERS])),
        ("DeleteOperation", only(&[&KEEPERS])),
        ("CountOpportunities", only(&[&KEEPERS, &VIEWERS])),
        ("FlagOpportunity", only(&[&KEEPERS, &VIEWERS])),
        ("ListRevisions", only(&[&KEEPERS, &VIEWERS])),
        ("DiffRevisions", only(&[&KEEPERS, &VIEWERS])),
    ];
    let reviews = [
        ("ListReviewCases", only(&[&[Reviewer]])),
        ("GetReviewCase", or_services(only(&[&[Reviewer]]))),
        ("ClaimReviewCase", only(&[&[Reviewer]])),
        ("StartReview", only(&[&[Reviewer]])),
        ("DecideReview", only(&[&[Reviewer]])),
    ];
    let referrals = [
        ("CreateReferral", only(&[&SELLERS])),
        ("GetReferral", only(&[&SELLERS])),
        ("ListReferrals", only(&[&SELLERS])),
        ("GetReferralOffer", only(&[&PIPELINE])),
        ("ListReferralOffers", only(&[&PIPELINE])),
        ("AcceptReferralOffer", only(&[&PIPELINE])),
        ("BatchAcceptReferralOffers", only(&[&PIPELINE])),
        ("RejectReferralOffer", only(&[&PIPELINE])),
        ("GetAcceptedOpportunity", by_opportunity()),
        ("GetLead", only(&[&KEEPERS])),
        ("ListLeads", only(&[&KEEPERS])),
        ("SetLeadState", only(&[&KEEPERS])),
        ("AddLeadInteraction", only(&[&KEEPERS])),
        ("AssignLead", only(&[&KEEPERS])),
        ("ConvertLead", only(&[&KEEPERS])),
        ("GetConvertedLead", by_opportunity()),
    ];
    let engagements = [
        ("ShareOpportunity", only(&[&KEEPERS])),
        ("GetEngagementInvitation", only(&[&KEEPERS, &SELLERS])),
        ("ListEngagementInvitations", only(&[&PIPELINE, &SELLERS])),
        ("AcceptEngagementInvitation", only(&[&PIPELINE])),
        ("RejectEngagementInvitation", only(&[&PIPELINE])),
        ("CancelEngagementInvitation", only(&[&KEEPERS])),
        ("GetEngagement", only(&[&KEEPERS, &SELLERS])),
        ("ListEngagements", only(&[&KEEPERS, &SELLERS])),
        ("ListEngagementMembers", only(&[&KEEPERS, &SELLERS])),
        ("CreateEngagementContext", only(&[&KEEPERS])),
        ("UpdateEngagementContext", only(&[&KEEPERS])),
        ("LeaveEngagement", only(&[&KEEPERS])),
        ("RemoveEngagementMember", only(&[&KEEPERS])),
        ("GetResourceSnapshot", only(&[&KEEPERS, &SELLERS])),
        ("ListResourceSnapshots", only(&[&KEEPERS, &SELLERS])),
        ("ListEngagementResources", only(&[&KEEPERS, &SELLERS])),
        ("CreateSnapshotJob", only(&[&KEEPERS])),
        ("GetSnapshotJob", only(&[&KEEPERS])),
        ("ListSnapshotJobs", only(&[&KEEPERS])),
        ("StartSnapshotJob", only(&[&KEEPERS])),
        ("StopSnapshotJob", only(&[&KEEPERS])),
        ("DeleteSnapshotJob", only(&[&KEEPERS])),
        ("RequestChannel", only(&[&KEEPERS])),
        ("GetChannel", or_notification(only(&[&KEEPERS, &SELLERS]))),
        ("ListChannels", only(&[&KEEPERS, &SELLERS])),
        ("ApproveChannel", only(&[&[AccountOwner]])),
        ("DeclineChannel", only(&[&[AccountOwner]])),
        ("AddChannelMembers", only(&[&[AccountOwner]])),
        ("JoinChannel", only(&[&KEEPERS, &SELLERS])),
        ("LeaveChannel", only(&[&KEEPERS, &SELLERS])),
        ("ArchiveChannel", only(&[&[AccountOwner]])),
        ("GetChannelPreferences", only(&[&KEEPERS, &SELLERS])),
        ("UpdateChannelPreferences", only(&[&KEEPERS, &SELLERS])),
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
        ("GetPartner", only(&[&KEEPERS, &VIEWERS])),
        ("ListPartners", only(&[&KEEPERS, &VIEWERS])),
        ("InviteMember", only(&[&ADMINISTRATORS])),
        ("AcceptMembership", or_invited(every_member())),
        ("GetMember", or_services(or_invited(every_member()))),
        ("ListMembers", only(&[&KEEPERS, &VIEWERS, &[CloudAdmin]])),
        ("ListAssignableMembers", only(&[&KEEPERS])),
        ("UpdateMember", or_invited(every_member())),
        ("SetMemberRoles", only(&[&ADMINISTRATORS])),
        ("DeactivateMember", only(&[&ADMINISTRATORS])),
        ("TransferAllianceLead", only(&[&[AllianceLead]])),
        ("CreateConnectionInvitation", only(&[&REPRESENTATIVES])),
        ("GetConnectionInvitation", or_services(only(&[&KEEPERS]))),
        ("ListConnectionInvitations", only(&[&KEEPERS])),
        ("AcceptConnectionInvitation", only(&[&REPRESENTATIVES])),
        ("RejectConnectionInvitation", only(&[&REPRESENTATIVES])),
        ("CancelConnectionInvitation", only(&[&REPRESENTATIVES])),
        ("GetConnection", only(&[&KEEPERS])),
        ("ListConnections", only(&[&KEEPERS])),
        ("CancelConnection", only(&[&REPRESENTATIVES])),
        ("GetConnectionPreferences", only(&[&KEEPERS])),
        ("UpdateConnectionPreferences", only(&[&REPRESENTATIVES])),
        ("ApplyDirectory", by_provisioner()),
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
