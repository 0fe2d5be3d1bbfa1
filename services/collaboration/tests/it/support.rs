//! Test fixtures: a running collaboration service with a fake directory and a fake opportunity service, and builders of
//! requests and records.

use std::sync::{Arc, Mutex};

use cosell_collaboration::{Collaboration, Options};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::channel_service_client::ChannelServiceClient;
use cosell_proto::cosell::collaboration::v1::collaboration_service_client::CollaborationServiceClient;
use cosell_proto::cosell::collaboration::v1::snapshot_service_client::SnapshotServiceClient;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as partner_api;
use cosell_proto::cosell::r#type::v1::{ReceiverResponsibility, RejectionReason, ReviewStatus};
use cosell_proto::google::r#type::{Date, Money};
use cosell_testkit::harness::{
    App, Client, PeerStub, Refusal, Setup, aws, eventually, opportunities_with_summary, partner,
};
use cosell_types::{Caller, Clock, Role, random};
use tonic::Code;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

pub type CollaborationClient = CollaborationServiceClient<InterceptedService<Channel, Client>>;
pub type ChannelClient = ChannelServiceClient<InterceptedService<Channel, Client>>;
pub type SnapshotClient = SnapshotServiceClient<InterceptedService<Channel, Client>>;

pub const ALDER: &str = "111111111111";
pub const BIRCH: &str = "222222222222";
pub const CEDAR: &str = "333333333333";
/// Has no connections.
pub const DOGWOOD: &str = "444444444444";
/// The opportunity of Alder that the tests share.
pub const OPPORTUNITY_ID: &str = "O4711";

/// A running service, and the data of the fake opportunity service.
pub struct Scenario {
    pub app: App,
    pub peer: PeerStub,
    /// The records of the fake opportunity service.
    pub records: Arc<Mutex<Vec<opportunity::Opportunity>>>,
    /// The AWS summary of every record.
    pub summary: Arc<Mutex<opportunity::AwsOpportunitySummary>>,
}

impl Scenario {
    /// Starts the service; Alder is connected with Birch and Cedar.
    pub async fn start() -> Self {
        Self::with_partners(Setup::default(), &[BIRCH, CEDAR, DOGWOOD]).await
    }

    /// Like `start`, with changed options.
    pub async fn with_options(configure: impl FnOnce(&mut Options)) -> Self {
        Self::build(Setup::default(), &[BIRCH, CEDAR, DOGWOOD], configure).await
    }

    /// Starts the service; Alder is connected with all given accounts except Dogwood.
    pub async fn with_partners(setup: Setup, partners: &[&str]) -> Self {
        Self::build(setup, partners, |_| {}).await
    }

    async fn build(setup: Setup, partners: &[&str], configure: impl FnOnce(&mut Options)) -> Self {
        let records = Arc::new(Mutex::new(vec![approved_opportunity()]));
        let shared_records = records.clone();
        let record = move |id: &str, _| {
            let records = shared_records.lock().expect("records");
            let record = records.iter().find(|record| record.opportunity_id == id);
            record.cloned().ok_or(Code::NotFound)
        };
        let summary = Arc::default();
        let url = opportunities_with_summary(record, Arc::clone(&summary));
        let mut options = Options::new(url.await);
        configure(&mut options);
        let app = setup.with_bus().start::<Collaboration>(options).await;
        let peer = PeerStub::new(&app.bus_args.nats_url).await;
        let scenario = Self {
            app,
            peer,
            records,
            summary,
        };
        for account in partners.iter().chain([&ALDER]) {
            scenario.list_engagements(&alliance_lead(account)).await;
        }
        for other in partners.iter().filter(|other| **other != DOGWOOD) {
            scenario.publish_connection(ALDER, other, 1, true).await;
            scenario.publish_connection(other, ALDER, 1, true).await;
        }
        let partner_count = partners.iter().filter(|other| **other != DOGWOOD).count();
        let mut admin = scenario.app.database.admin::<Collaboration>().await;
        eventually(async || {
            let active: i64 = sqlx::query_scalar("SELECT count(*) FROM connected WHERE is_active")
                .fetch_one(&mut admin)
                .await
                .expect("a count");
            if active == 2 * partner_count as i64 {
                Ok(())
            } else {
                Err(format!("{active} connections"))
            }
        })
        .await;
        scenario
    }

    /// Publishes, to the first account, that its connection with another account begins or ends.
    pub async fn publish_connection(&self, account: &str, other: &str, revision: i64, is_active: bool) {
        let status = if is_active {
            partner_api::ConnectionStatus::Active
        } else {
            partner_api::ConnectionStatus::Canceled
        };
        let mut pair = [account, other];
        pair.sort_unstable();
        let id = format!("pac-{}{}x", &pair[0][6..], &pair[1][6..]);
        let detail = Some(partner_api::ConnectionEventDetail {
            connection_id: id.clone(),
            account_id: account.to_owned(),
            revision,
            other_account_id: other.to_owned(),
            connection_type: partner_api::ConnectionType::OpportunityCollaboration.into(),
            status: status.into(),
        });
        if is_active {
            let event = partner_api::ConnectionEstablished { detail };
            self.peer
                .publish_event("partner", account, &id, revision, &event)
                .await;
        } else {
            let event = partner_api::ConnectionCanceled {
                detail,
                canceled_by_account_id: account.to_owned(),
            };
            self.peer
                .publish_event("partner", account, &id, revision, &event)
                .await;
        }
    }

    pub fn client(&self, caller: &Caller) -> CollaborationClient {
        CollaborationServiceClient::new(self.app.channel_for(caller))
    }

    pub fn snapshot_client(&self, caller: &Caller) -> SnapshotClient {
        SnapshotServiceClient::new(self.app.channel_for(caller))
    }

    pub fn channel_client(&self, caller: &Caller) -> ChannelClient {
        ChannelServiceClient::new(self.app.channel_for(caller))
    }

    /// The engagements that are visible to a caller.
    pub async fn list_engagements(&self, caller: &Caller) -> Vec<pb::Engagement> {
        let request = pb::ListEngagementsRequest::default();
        let response = self.client(caller).list_engagements(request).await;
        response.expect("a list").into_inner().engagements
    }

    /// The invitations that are visible to a caller.
    pub async fn list_invitations(&self, caller: &Caller) -> Vec<pb::EngagementInvitation> {
        let request = pb::ListEngagementInvitationsRequest::default();
        let response = self.client(caller).list_engagement_invitations(request).await;
        response.expect("a list").into_inner().engagement_invitations
    }

    /// Shares Alder's opportunity.
    pub async fn share(&self, receivers: &[&str]) -> pb::ShareOpportunityResponse {
        let response = self
            .client(&alliance_lead(ALDER))
            .share_opportunity(share_request(receivers))
            .await;
        response.expect("a shared opportunity").into_inner()
    }

    /// Shares Alder's opportunity with receivers that accept it, and returns the engagement's id.
    pub async fn create_engagement(&self, receivers: &[&str]) -> String {
        let shared = self.share(receivers).await;
        for invitation in &shared.engagement_invitations {
            self.accept_invitation(invitation).await;
        }
        shared.engagement.expect("an engagement").engagement_id
    }

    /// Accepts an invitation as the receiver's alliance lead.
    pub async fn accept_invitation(&self, invitation: &pb::EngagementInvitation) -> pb::EngagementInvitation {
        let request = accept_request(&invitation.engagement_invitation_id);
        let receiver = alliance_lead(&invitation.receiver_account_id);
        let response = self.client(&receiver).accept_engagement_invitation(request).await;
        response
            .expect("an acceptance")
            .into_inner()
            .engagement_invitation
            .expect("the invitation")
    }

    /// The engagement as a caller sees it.
    pub async fn get_engagement(&self, caller: &Caller, id: &str) -> Result<pb::Engagement, tonic::Status> {
        let request = pb::GetEngagementRequest {
            engagement_id: id.to_owned(),
        };
        let response = self.client(caller).get_engagement(request).await?;
        Ok(response.into_inner().engagement.expect("the engagement"))
    }

    /// The members of an engagement and their states, in the order in which they were invited.
    pub async fn member_states(&self, caller: &Caller, id: &str) -> Vec<(String, pb::EngagementMemberState)> {
        let request = pb::ListEngagementMembersRequest {
            engagement_id: id.to_owned(),
            ..Default::default()
        };
        let response = self.client(caller).list_engagement_members(request).await;
        let members = response.expect("a list").into_inner().engagement_members;
        members
            .into_iter()
            .map(|member| (member.account_id.clone(), member.state()))
            .collect()
    }

    /// Counts the events of an account whose subject ends with the given name.
    pub async fn event_count(&self, account: &str, event_name: &str) -> i64 {
        let mut admin = self.app.database.admin::<Collaboration>().await;
        sqlx::query_scalar(
            "SELECT count(*) FROM event_journal WHERE account_id = $1 AND subject LIKE '%.' || $2",
        )
        .bind(account.to_owned())
        .bind(event_name.to_owned())
        .fetch_one(&mut admin)
        .await
        .expect("a count")
    }
}

pub fn alliance_lead(account: &str) -> Caller {
    partner(&format!("mem-lead-{account}"), account, Role::AllianceLead)
}

pub fn sales() -> Caller {
    aws("mem-sales", Role::SalesRepresentative)
}

pub fn request_id() -> String {
    random::uuid(Clock::system().now()).to_string()
}

pub fn share_receiver(account: &str) -> pb::ShareReceiver {
    pb::ShareReceiver {
        account_id: account.to_owned(),
        alias: format!("our friend {account}"),
        responsibilities: vec![ReceiverResponsibility::Reseller.into()],
    }
}

pub fn share_request(receivers: &[&str]) -> pb::ShareOpportunityRequest {
    pb::ShareOpportunityRequest {
        opportunity_id: OPPORTUNITY_ID.to_owned(),
        receivers: receivers.iter().map(|account| share_receiver(account)).collect(),
        message: "Let us do this together.".to_owned(),
        sender_contacts: vec![opportunity::Contact {
            first_name: "Ada".to_owned(),
            email: "ada@alder.example".to_owned(),
            phone: "+12065550123".to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

pub fn accept_request(id: &str) -> pb::AcceptEngagementInvitationRequest {
    pb::AcceptEngagementInvitationRequest {
        engagement_invitation_id: id.to_owned(),
        ..Default::default()
    }
}

pub fn reject_request(id: &str) -> pb::RejectEngagementInvitationRequest {
    pb::RejectEngagementInvitationRequest {
        engagement_invitation_id: id.to_owned(),
        reason: RejectionReason::UnableToSupport.into(),
        ..Default::default()
    }
}

pub fn cancel_request(id: &str) -> pb::CancelEngagementInvitationRequest {
    pb::CancelEngagementInvitationRequest {
        engagement_invitation_id: id.to_owned(),
        ..Default::default()
    }
}

/// Values that a partner must not receive before it accepts.
pub const HIDDEN: [&str; 7] = [
    "Hidden Street 7",
    "hidden-contact@customer.example",
    "444455556666",
    "Hidden solution",
    "Hidden comment",
    "Hidden step",
    "+12065550123",
];

/// An approved opportunity of Alder.
pub fn approved_opportunity() -> opportunity::Opportunity {
    opportunity::Opportunity {
        opportunity_id: OPPORTUNITY_ID.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 5,
        owner_member_id: "mem-owner".to_owned(),
        involvement_type: opportunity::InvolvementType::CoSell.into(),
        visibility: opportunity::Visibility::Full.into(),
        customer: Some(opportunity::Customer {
            account: Some(opportunity::Account {
                company_name: "Nordwind".to_owned(),
                industry: "Retail".to_owned(),
                website_url: "www.nordwind.example".to_owned(),
                aws_account_id: HIDDEN[2].to_owned(),
                address: Some(opportunity::Address {
                    country_code: "DE".to_owned(),
                    street_address: HIDDEN[0].to_owned(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            contacts: vec![opportunity::Contact {
                email: HIDDEN[1].to_owned(),
                ..Default::default()
            }],
        }),
        project: Some(opportunity::Project {
            title: "Data platform".to_owned(),
            customer_business_problem: "Orders are typed in twice, every day.".to_owned(),
            customer_use_case: "Database".to_owned(),
            expected_customer_spend: vec![opportunity::ExpectedCustomerSpend {
                amount: Some(Money {
                    currency_code: "USD".to_owned(),
                    units: 1850,
                    nanos: 0,
                }),
                target_company: "AWS".to_owned(),
                ..Default::default()
            }],
            other_solution_description: HIDDEN[3].to_owned(),
            additional_comments: HIDDEN[4].to_owned(),
            ..Default::default()
        }),
        life_cycle: Some(opportunity::LifeCycle {
            stage: opportunity::Stage::Qualified.into(),
            review_status: ReviewStatus::Approved.into(),
            next_steps: HIDDEN[5].to_owned(),
            target_close_date: Some(Date {
                year: 2026,
                month: 9,
                day: 30,
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Parses the details of a refusal.
pub fn parse_refusal(status: &tonic::Status) -> Refusal {
    Refusal::from(status)
}
