//! Opportunities that Alder shares.

use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::collaboration_service_client::CollaborationServiceClient;
use cosell_proto::cosell::collaboration::v1::snapshot_service_client::SnapshotServiceClient;
use cosell_proto::cosell::opportunity::v1::Contact;
use cosell_proto::cosell::r#type::v1::ReceiverResponsibility;
use cosell_testkit::harness::{Client, FarEnd, eventually, member};
use cosell_types::{Caller, Role, Side};
use serde_json::{Value, json};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use crate::scene::{CANARY, HOLDER, SUBMITTED, Scene, caller};

/// The partner that Alder shares with.
pub const HAZEL: &str = "666666666666";

/// What came of sharing.
pub struct Engaged {
    /// The engagement, of which the other company is part.
    pub engagement: String,
    /// An invitation to another one, which waits for an answer.
    pub invitation: String,
    /// The job of Alder's that makes snapshots of the summary.
    pub job: String,
}

impl Scene<'_> {
    /// The calls of anybody about engagements.
    pub fn engagements(
        &self,
        caller: &Caller,
    ) -> CollaborationServiceClient<InterceptedService<Channel, Client>> {
        let client = Client::new(&self.issuer, Some(caller));
        CollaborationServiceClient::new(client.over(self.channel.clone()))
    }

    /// Has the holder share two opportunities with Hazel, of which it takes the first one. Nobody else is to know.
    pub async fn engaged(&self, taken: &str, waiting: &str) -> Engaged {
        self.connect(cosell::ALDER, HAZEL, &format!("{CANARY} shares"))
            .await;
        let holder = member(HOLDER, cosell::ALDER, Side::Partner, &[Role::AceUser]);
        let first = self.shared(&holder, taken).await;
        let accept = pb::AcceptEngagementInvitationRequest {
            engagement_invitation_id: first.engagement_invitations[0].engagement_invitation_id.clone(),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let mut hazel = self.engagements(&caller(HAZEL));
        let accepted = hazel.accept_engagement_invitation(accept).await;
        accepted.expect("a member");
        let second = self.shared(&holder, waiting).await;
        let engagement = first.engagement.expect("an engagement").engagement_id;
        let client = Client::new(&self.issuer, Some(&holder));
        let mut calls = SnapshotServiceClient::new(client.over(self.channel.clone()));
        let jobs = pb::ListSnapshotJobsRequest {
            engagement_id: engagement.clone(),
            ..Default::default()
        };
        let jobs = calls
            .list_snapshot_jobs(jobs)
            .await
            .expect("jobs")
            .into_inner()
            .snapshot_jobs;
        let template = pb::SnapshotTemplate::OpportunitySummary;
        let job = jobs.into_iter().find(|job| job.template() == template);
        Engaged {
            engagement,
            invitation: second.engagement_invitations[0].engagement_invitation_id.clone(),
            job: job.expect("a job").snapshot_job_id,
        }
    }

    /// Has the holder ask for a channel, and another one of Alder not want to be asked to any; the channel.
    pub async fn chatted(&self, opportunity: &str) -> String {
        let holder = self.person(HOLDER);
        let request = pb::RequestChannelRequest {
            opportunity_id: opportunity.to_owned(),
            member_ids: vec![HOLDER.to_owned()],
            purpose: format!("{SUBMITTED} chats"),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let asked = holder.channels().request_channel(request).await;
        let channel = asked.expect("a channel").into_inner().channel;
        let opted_out = pb::UpdateChannelPreferencesRequest {
            opted_out: Some(true),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let other = self.person("alder-technical-staff");
        let noted = other.channels().update_channel_preferences(opted_out).await;
        noted.expect("preferences");
        channel.expect("a channel").channel_id
    }

    /// Shares an opportunity with Hazel, once the connection is known there.
    async fn shared(&self, holder: &Caller, opportunity: &str) -> pb::ShareOpportunityResponse {
        let request = pb::ShareOpportunityRequest {
            opportunity_id: opportunity.to_owned(),
            receivers: vec![pb::ShareReceiver {
                account_id: HAZEL.to_owned(),
                alias: "Them".to_owned(),
                responsibilities: vec![ReceiverResponsibility::ServicesPartner.into()],
            }],
            message: format!("{SUBMITTED} message"),
            engagement_title: format!("{SUBMITTED} engagement"),
            sender_contacts: vec![Contact {
                first_name: "Some".to_owned(),
                last_name: "Body".to_owned(),
                email: "somebody@connected.example".to_owned(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let mut calls = self.engagements(holder);
        eventually(async || {
            let request = pb::ShareOpportunityRequest {
                request_id: FarEnd::id(),
                ..request.clone()
            };
            let answer = calls.share_opportunity(request).await;
            answer
                .map(tonic::Response::into_inner)
                .map_err(|status| status.message().to_owned())
        })
        .await
    }
}

/// A request to share an opportunity with Hazel.
pub fn json(opportunity: &str) -> Value {
    json!({
        "opportunity_id": opportunity,
        "receivers": [{"account_id": HAZEL,
            "responsibilities": ["RECEIVER_RESPONSIBILITY_SERVICES_PARTNER"]}],
        "message": "Let us work together",
        "sender_contacts": [{"first_name": "Some", "last_name": "Body", "email": "some.body@stranger.example"}],
    })
}

/// A context to write.
pub fn context() -> Value {
    json!({
        "context_id": "1",
        "customer_project": {
            "customer": {"company_name": "Nordwind", "industry": "Retail", "website_url": "www.nordwind.example",
                "country_code": "DE"},
            "project": {"title": "A project", "business_problem": "Orders are typed in twice, every day."},
        },
    })
}
