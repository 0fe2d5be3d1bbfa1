//! Builds a valid request of every RPC about given records, so that a refusal can only be due to the caller.

use cosell_proto::cosell::opportunity::v1::Opportunity;
use cosell_testkit::harness::PeerStub;
use cosell_types::Caller;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, ReflectMessage as _, Value as Field};
use serde_json::{Value, json};

use crate::payloads;

/// The ids of the records that requests name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// The account that owns the records.
    pub account: String,
    /// The opportunity that requests name.
    pub opportunity: String,
    /// A submitted opportunity, which requests do not name.
    pub submitted: String,
    /// An approved opportunity with an AWS summary, which requests do not name.
    pub approved: String,
    /// A review case of the account.
    pub review_case: String,
    /// A member of the account.
    pub member: String,
    /// The account's profile.
    pub profile: String,
    /// A connection invitation that the account sent.
    pub invitation: String,
    /// A connection of the account.
    pub connection: String,
    /// A notification of a member of the account.
    pub notification: String,
    /// A bulk job of the account.
    pub job: String,
    /// A referral offer of AWS to the account.
    pub offer: String,
    /// The referral of that offer.
    pub referral: String,
    /// A lead that the account accepted.
    pub lead: String,
    /// An engagement of the account about the submitted opportunity.
    pub engagement: String,
    /// An invitation to another engagement, which the account sent.
    pub engagement_invitation: String,
    /// A snapshot job of the account.
    pub snapshot_job: String,
    /// A channel of the account on the approved opportunity.
    pub channel: String,
}

impl Records {
    /// Ids of records and an account that do not exist.
    pub fn nonexistent() -> Self {
        Self {
            account: "888888888888".to_owned(),
            opportunity: "O9000000000000000001".to_owned(),
            submitted: "O9000000000000000002".to_owned(),
            approved: "O9000000000000000003".to_owned(),
            review_case: "rc-0000000000000".to_owned(),
            member: "nonexistent-member".to_owned(),
            profile: "pprofile-0000000000000".to_owned(),
            invitation: "pacinv-0000000000000".to_owned(),
            connection: "pac-0000000000000".to_owned(),
            notification: "ntf-0000000000000".to_owned(),
            job: "operations/bulkjob-0000000000000".to_owned(),
            offer: "engi-0000000000000".to_owned(),
            referral: "ref-0000000000000".to_owned(),
            lead: "lead-0000000000000".to_owned(),
            engagement: "eng-a0000000000000".to_owned(),
            engagement_invitation: "engi-a000000000001".to_owned(),
            snapshot_job: "job-0000000000001".to_owned(),
            channel: "chan-0000000000000".to_owned(),
        }
    }

    /// All ids.
    pub fn ids(&self) -> [&str; 18] {
        [
            &self.account,
            &self.opportunity,
            &self.submitted,
            &self.approved,
            &self.review_case,
            &self.member,
            &self.profile,
            &self.invitation,
            &self.connection,
            &self.notification,
            &self.job,
            &self.offer,
            &self.referral,
            &self.lead,
            &self.engagement,
            &self.engagement_invitation,
            &self.snapshot_job,
            &self.channel,
        ]
    }
}

/// Every RPC of the API.
pub fn rpcs() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS).expect("the descriptors");
    let services: Vec<_> = pool
        .services()
        .filter(|service| {
            service.package_name().starts_with("cosell.")
                || service.full_name() == "google.longrunning.Operations"
        })
        .collect();
    services
        .iter()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

/// Every RPC that names one opportunity. Excludes RPCs that find the opportunity through an engagement, and lists that
/// are empty when their filter names an unknown opportunity.
pub fn opportunity_rpcs() -> Vec<MethodDescriptor> {
    let has = |rpc: &MethodDescriptor, field: &str| rpc.input().get_field_by_name(field).is_some();
    rpcs()
        .into_iter()
        .filter(|rpc| has(rpc, "opportunity_id") && !has(rpc, "engagement_id"))
        .filter(|rpc| rpc.name() != "ListChannels")
        .collect()
}

/// Builds a valid request of an RPC that names `records`. `opportunity` fills the field of the same name; a
/// `request_id` is generated.
pub fn build_request(rpc: &MethodDescriptor, records: &Records, opportunity: &Opportunity) -> DynamicMessage {
    let json = request_json(rpc.name(), records);
    let mut message = DynamicMessage::deserialize(rpc.input(), json)
        .unwrap_or_else(|error| panic!("{}: {error}", rpc.name()));
    if let Some(field) = rpc.input().get_field_by_name("opportunity") {
        let prost_reflect::Kind::Message(kind) = field.kind() else {
            panic!("a message")
        };
        let mut written = DynamicMessage::new(kind);
        written.transcode_from(opportunity).expect("an opportunity");
        message.set_field(&field, Field::Message(written));
    }
    if message.descriptor().get_field_by_name("request_id").is_some() {
        message.set_field_by_name("request_id", Field::String(PeerStub::id()));
    }
    message
}

/// The request of an RPC as JSON. Panics for an RPC without an entry, so that each new RPC needs one.
fn request_json(rpc: &str, records: &Records) -> Value {
    let Records {
        account,
        opportunity,
        submitted: _,
        approved: _,
        review_case,
        member,
        profile,
        invitation,
        connection,
        notification,
        job,
        offer,
        referral,
        lead,
        engagement,
        engagement_invitation,
        snapshot_job,
        channel,
    } = records;
    let person = json!({"first_name": "Some", "last_name": "Body", "email": "some.body@unrelated.example"});
    match rpc {
        "ListNotifications"
        | "ListStandardValues"
        | "ListSolutions"
        | "ListProducts"
        | "GetUnreadCount"
        | "GetNotificationPreferences"
        | "UpdateNotificationPreferences"
        | "CreateOpportunity"
        | "AcceptTerms"
        | "AcceptMembership"
        | "ListMembers"
        | "ListAssignableMembers"
        | "ListPartners"
        | "ListConnectionInvitations"
        | "ListConnections"
        | "GetConnectionPreferences" => json!({}),
        "MarkNotificationsRead" => json!({"notification_ids": [notification]}),
        "GetOpportunity"
        | "UpdateOpportunity"
        | "WithdrawSubmission"
        | "DiscardDraft"
        | "GetAllowedActions"
        | "ListNextSteps"
        | "CloneOpportunity"
        | "GetAwsOpportunitySummary" => {
            json!({"opportunity_id": opportunity})
        }
        "ChangeStage" => json!({"opportunity_id": opportunity, "stage": "STAGE_QUALIFIED"}),
        "ReopenOpportunity" => {
            json!({"opportunity_id": opportunity, "stage": "STAGE_QUALIFIED", "reason": "The project continues"})
        }
        "AssociateEntity" | "DisassociateEntity" => {
            json!({"opportunity_id": opportunity, "entity_type": "RELATED_ENTITY_TYPE_SOLUTIONS",
            "entity_identifier": "S-1000001"})
        }
        "TagOpportunity" => json!({"opportunity_id": opportunity, "tags": [{"key": "region"}]}),
        "UntagOpportunity" => json!({"opportunity_id": opportunity, "tag_keys": ["region"]}),
        "ApplySolutions" => json!({"account_id": account, "solutions": [{"solution_id": "S-1", "name": "One",
            "status": "SOLUTION_STATUS_ACTIVE", "category": "Software Product"}]}),
        "ApplyProducts" => json!({"products": [{"product_id": "AmazonEC2", "name": "Amazon EC2"}]}),
        "ImportOpportunities" => json!({"options": {"format": "FILE_FORMAT_CSV"}}),
        "GetImportTemplate" | "ListOperations" => json!({}),
        "ExportOpportunities" => json!({"format": "FILE_FORMAT_CSV"}),
        "TransferOpportunities" => {
            json!({"ids": {"opportunity_ids": [opportunity]}, "owner_member_id": member})
        }
        "DownloadImportResult" | "GetOperation" | "CancelOperation" | "DeleteOperation" | "WaitOperation" => {
            json!({"name": job})
        }
        "AddNextStep" => json!({"opportunity_id": opportunity, "next_step": "Call again"}),
        "AssignOpportunity" => json!({"opportunity_id": opportunity, "owner_member_id": member}),
        "UpdateAwsOpportunitySummary" => {
            json!({"opportunity_id": opportunity, "aws_opportunity_summary": {"life_cycle": {"next_steps": "A call"}}})
        }
        "ListOpportunities" => json!({"page_size": 100}),
        "CountOpportunities" => json!({}),
        "FlagOpportunity" => json!({"opportunity_id": opportunity, "flagged": true}),
        "ListRevisions" => json!({"opportunity_id": opportunity}),
        "DiffRevisions" => json!({"opportunity_id": opportunity, "from_revision": 1, "to_revision": 1}),
        "SubmitOpportunity" => {
            json!({"opportunity_id": opportunity, "involvement_type": "INVOLVEMENT_TYPE_CO_SELL"})
        }
        "GetAccount" => json!({"account_id": account}),
        "UpdateProfile" => json!({"profile": {"display_name": "Unrelated", "industry_segments": ["Retail"],
            "primary_solution_type": "SOLUTION_TYPE_MANAGED_SERVICES"}}),
        "SetProfileVisibility" => json!({"visibility": "PROFILE_VISIBILITY_PUBLIC"}),
        "GetPartner" => json!({"profile_id": profile}),
        "InviteMember" => json!({"person": person, "roles": ["ROLE_ACE_USER"]}),
        "GetMember" => json!({"member_id": member, "account_id": account}),
        "UpdateMember" => json!({"member_id": member, "person": person}),
        "SetMemberRoles" => json!({"member_id": member, "roles": ["ROLE_STANDARD_USER"]}),
        "DeactivateMember" => json!({"member_id": member}),
        "TransferAllianceLead" => json!({"member_id": member, "confirmation": "confirm"}),
        "CreateConnectionInvitation" => {
            json!({"type": "CONNECTION_TYPE_OPPORTUNITY_COLLABORATION", "receiver_id": profile,
            "inviter_name": "Some Body", "inviter_email": "some.body@unrelated.example", "message": "Hello"})
        }
        "GetConnectionInvitation" => json!({"connection_invitation_id": invitation, "account_id": account}),
        "AcceptConnectionInvitation" | "CancelConnectionInvitation" => {
            json!({"connection_invitation_id": invitation})
        }
        "RejectConnectionInvitation" => json!({"connection_invitation_id": invitation, "reason": "No"}),
        "GetConnection" => json!({"connection_id": connection}),
        "CancelConnection" => json!({"connection_id": connection, "reason": "No longer needed",
            "type": "CONNECTION_TYPE_OPPORTUNITY_COLLABORATION"}),
        "UpdateConnectionPreferences" => json!({"access_type": "ACCESS_TYPE_ALLOW_ALL", "etag": "1"}),
        "ApplyDirectory" => json!({"member": {"account_id": account, "member_id": member, "person": person}}),
        "ListReviewCases" => json!({"page_size": 100}),
        "GetReviewCase" | "StartReview" => json!({"review_case_id": review_case}),
        "ClaimReviewCase" => json!({"review_case_id": review_case, "take_over": true}),
        "DecideReview" => json!({"review_case_id": review_case, "decision": "REVIEW_DECISION_APPROVE"}),
        "CheckReferredOpportunity" => json!({"opportunity": {}}),
        "CreateReferral" => json!({"referral": payloads::referral_json(account)}),
        "GetReferral" => json!({"referral_id": referral}),
        "ListReferrals" | "ListReferralOffers" | "ListLeads" => json!({"page_size": 100}),
        "GetLead" | "ConvertLead" | "GetConvertedLead" => json!({"lead_id": lead}),
        "SetLeadState" => json!({"lead_id": lead, "state": "LEAD_STATE_QUALIFIED"}),
        "AddLeadInteraction" => {
            json!({"lead_id": lead, "interaction": {"source_type": "Call", "customer_action": "Asked"}})
        }
        "AssignLead" => json!({"lead_id": lead, "owner_member_id": member}),
        "GetReferralOffer" | "AcceptReferralOffer" | "GetAcceptedOpportunity" => {
            json!({"referral_offer_id": offer})
        }
        "BatchAcceptReferralOffers" => json!({"referral_offer_ids": [offer]}),
        "RejectReferralOffer" => {
            json!({"referral_offer_id": offer, "reason": "REJECTION_REASON_UNABLE_TO_SUPPORT"})
        }
        "ShareOpportunity" => payloads::share_request_json(opportunity),
        "CorrectClosedOpportunity" => {
            json!({"opportunity_id": opportunity, "aws_account_id": "123456789012"})
        }
        "GetReferralOfferForAccount" => json!({"account_id": account, "referral_offer_id": offer}),
        "GetReferralForAccount" => json!({"account_id": account, "referral_id": referral}),
        "GetLeadForAccount" => json!({"account_id": account, "lead_id": lead}),
        "GetEngagementInvitationForAccount" => {
            json!({"account_id": account, "engagement_invitation_id": engagement_invitation})
        }
        "GetChannelInvitation" => json!({"account_id": account, "channel_id": channel,
            "member_account_id": account, "member_id": member}),
        "GetOpportunityForAccount" => json!({"account_id": account, "opportunity_id": opportunity}),
        "GetEngagementInvitation" | "AcceptEngagementInvitation" | "CancelEngagementInvitation" => {
            json!({"engagement_invitation_id": engagement_invitation})
        }
        "RejectEngagementInvitation" => json!({"engagement_invitation_id": engagement_invitation,
            "reason": "REJECTION_REASON_UNABLE_TO_SUPPORT"}),
        "ListEngagementInvitations" | "ListEngagements" | "ListSnapshotJobs" | "ListChannels" => {
            json!({"page_size": 100})
        }
        "GetEngagement"
        | "ListEngagementMembers"
        | "LeaveEngagement"
        | "ListResourceSnapshots"
        | "ListEngagementResources" => json!({"engagement_id": engagement}),
        "CreateEngagementContext" | "UpdateEngagementContext" => {
            json!({"engagement_id": engagement, "context": payloads::context_json()})
        }
        "RemoveEngagementMember" => {
            json!({"engagement_id": engagement, "account_id": payloads::HAZEL})
        }
        "RequestChannel" => {
            json!({"opportunity_id": opportunity, "member_ids": [member], "purpose": "Who does what"})
        }
        "GetChannel" | "JoinChannel" | "LeaveChannel" | "ArchiveChannel" => json!({"channel_id": channel}),
        "ApproveChannel" => json!({"channel_id": channel, "link": "https://chat.example/opportunity"}),
        "DeclineChannel" => json!({"channel_id": channel, "text": "Not now"}),
        "AddChannelMembers" => json!({"channel_id": channel, "partner_member_ids": [member]}),
        "GetChannelPreferences" => json!({}),
        "UpdateChannelPreferences" => json!({"opted_out": false}),
        "GetResourceSnapshot" | "CreateSnapshotJob" => json!({"engagement_id": engagement,
            "opportunity_id": opportunity, "template": "SNAPSHOT_TEMPLATE_OPPORTUNITY_SUMMARY"}),
        "GetSnapshotJob" | "StartSnapshotJob" | "StopSnapshotJob" | "DeleteSnapshotJob" => {
            json!({"snapshot_job_id": snapshot_job})
        }
        other => panic!("RPC {other} has no request; add one"),
    }
}

/// The identity that a client claims in the build with the feature `sabotage`, as the header of `cosell_grpc` has it.
pub fn forged_identity(caller: &Caller) -> String {
    use cosell_types::ClosedList as _;

    let Caller::Member(member) = caller else {
        panic!("a member")
    };
    let roles: Vec<_> = member.roles.iter().map(|role| role.name()).collect();
    format!(
        "{};{};{};{}",
        member.id,
        member.account,
        member.side.name(),
        roles.join(",")
    )
}
