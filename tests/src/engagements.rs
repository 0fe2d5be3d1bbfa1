//! Engagements: opportunities that Alder shares, and its channel with AWS.

use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::collaboration_service_client::CollaborationServiceClient;
use cosell_proto::cosell::collaboration::v1::snapshot_service_client::SnapshotServiceClient;
use cosell_proto::cosell::opportunity::v1::Contact;
use cosell_proto::cosell::r#type::v1::ReceiverResponsibility;
use cosell_testkit::harness::{Client, PeerStub, eventually, member};
use cosell_types::{Caller, Role, Side};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

pub use crate::payloads::HAZEL;
use crate::scenario::{CANARY, OWNER, SUBMITTED_CANARY, Scenario, alliance_lead};

/// The ids of what sharing created.
pub struct SharedRecords {
    /// The engagement that Hazel has joined.
    pub engagement: String,
    /// A pending invitation to another engagement.
    pub invitation: String,
    /// Alder's job that creates snapshots of the opportunity summary.
    pub job: String,
}

impl Scenario<'_> {
    /// A client of the collaboration service that calls as `caller`.
    pub fn collaboration_client(
        &self,
        caller: &Caller,
    ) -> CollaborationServiceClient<InterceptedService<Channel, Client>> {
        let client = Client::new(&self.issuer, Some(caller));
        CollaborationServiceClient::new(client.with_channel(self.channel.clone()))
    }

    /// Shares two opportunities of [`OWNER`] with Hazel, which accepts the first. No other account may learn of this.
    pub async fn share_opportunities(&self, accepted: &str, pending: &str) -> SharedRecords {
        self.connect(cosell::ALDER, HAZEL, &format!("{CANARY} shares"))
            .await;
        let owner = member(OWNER, cosell::ALDER, Side::Partner, &[Role::AceUser]);
        let first = self.share(&owner, accepted).await;
        let accept = pb::AcceptEngagementInvitationRequest {
            engagement_invitation_id: first.engagement_invitations[0].engagement_invitation_id.clone(),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let mut hazel = self.collaboration_client(&alliance_lead(HAZEL));
        let answer = hazel.accept_engagement_invitation(accept).await;
        answer.expect("an acceptance");
        let second = self.share(&owner, pending).await;
        let engagement = first.engagement.expect("an engagement").engagement_id;
        let client = Client::new(&self.issuer, Some(&owner));
        let mut snapshots = SnapshotServiceClient::new(client.with_channel(self.channel.clone()));
        let jobs = pb::ListSnapshotJobsRequest {
            engagement_id: engagement.clone(),
            ..Default::default()
        };
        let jobs = snapshots
            .list_snapshot_jobs(jobs)
            .await
            .expect("jobs")
            .into_inner()
            .snapshot_jobs;
        let template = pb::SnapshotTemplate::OpportunitySummary;
        let job = jobs.into_iter().find(|job| job.template() == template);
        SharedRecords {
            engagement,
            invitation: second.engagement_invitations[0].engagement_invitation_id.clone(),
            job: job.expect("a job").snapshot_job_id,
        }
    }

    /// Requests a channel as [`OWNER`], opts another member of Alder out of channels, and returns the channel's id.
    pub async fn request_channel_as_owner(&self, opportunity: &str) -> String {
        let owner = self.member(OWNER);
        let request = pb::RequestChannelRequest {
            opportunity_id: opportunity.to_owned(),
            member_ids: vec![OWNER.to_owned()],
            purpose: format!("{SUBMITTED_CANARY} chats"),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let answer = owner.channels().request_channel(request).await;
        let channel = answer.expect("a channel").into_inner().channel;
        let opt_out = pb::UpdateChannelPreferencesRequest {
            opted_out: Some(true),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let other = self.member("alder-technical-staff");
        let answer = other.channels().update_channel_preferences(opt_out).await;
        answer.expect("preferences");
        channel.expect("a channel").channel_id
    }

    /// Shares an opportunity with Hazel. Retries until the service has received the event of the connection.
    async fn share(&self, owner: &Caller, opportunity: &str) -> pb::ShareOpportunityResponse {
        let request = pb::ShareOpportunityRequest {
            opportunity_id: opportunity.to_owned(),
            receivers: vec![pb::ShareReceiver {
                account_id: HAZEL.to_owned(),
                alias: "Them".to_owned(),
                responsibilities: vec![ReceiverResponsibility::ServicesPartner.into()],
            }],
            message: format!("{SUBMITTED_CANARY} message"),
            engagement_title: format!("{SUBMITTED_CANARY} engagement"),
            sender_contacts: vec![Contact {
                first_name: "Some".to_owned(),
                last_name: "Body".to_owned(),
                email: "contact@connected.example".to_owned(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let mut client = self.collaboration_client(owner);
        eventually(async || {
            let request = pb::ShareOpportunityRequest {
                request_id: PeerStub::id(),
                ..request.clone()
            };
            let answer = client.share_opportunity(request).await;
            answer
                .map(tonic::Response::into_inner)
                .map_err(|status| status.message().to_owned())
        })
        .await
    }
}
