//! A running service beside stand-ins of the directory and of the opportunity service.

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
    App, Client, FarEnd, Refusal, Setup, aws, eventually, opportunities_with_summary, partner,
};
use cosell_types::{Caller, Clock, Role, random};
use tonic::Code;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

pub type Calls = CollaborationServiceClient<InterceptedService<Channel, Client>>;
pub type Channels = ChannelServiceClient<InterceptedService<Channel, Client>>;
pub type Snapshots = SnapshotServiceClient<InterceptedService<Channel, Client>>;

pub const ALDER: &str = "111111111111";
pub const BIRCH: &str = "222222222222";
pub const CEDAR: &str = "333333333333";
/// Connected with nobody.
pub const DOGWOOD: &str = "444444444444";
/// The opportunity of Alder that tests share.
pub const DEAL: &str = "O4711";

/// A running service, and what the opportunity service says.
pub struct Scene {
    pub app: App,
    pub far: FarEnd,
    /// The records that there are.
    pub records: Arc<Mutex<Vec<opportunity::Opportunity>>>,
    /// What AWS says of each.
    pub summary: Arc<Mutex<opportunity::AwsOpportunitySummary>>,
}

impl Scene {
    /// Alder is connected with Birch and Cedar.
    pub async fn start() -> Self {
        Self::with(Setup::default(), &[BIRCH, CEDAR, DOGWOOD]).await
    }

    /// The same, with other options.
    pub async fn configured(configure: impl FnOnce(&mut Options)) -> Self {
        Self::build(Setup::default(), &[BIRCH, CEDAR, DOGWOOD], configure).await
    }

    /// Alder is connected with all of these but Dogwood.
    pub async fn with(setup: Setup, others: &[&str]) -> Self {
        Self::build(setup, others, |_| {}).await
    }

    async fn build(setup: Setup, others: &[&str], configure: impl FnOnce(&mut Options)) -> Self {
        let records = Arc::new(Mutex::new(vec![deal()]));
        let known = records.clone();
        let record = move |id: &str, _| {
            let known = known.lock().expect("records");
            let found = known.iter().find(|record| record.opportunity_id == id);
            found.cloned().ok_or(Code::NotFound)
        };
        let summary = Arc::default();
        let url = opportunities_with_summary(record, Arc::clone(&summary));
        let mut options = Options::new(url.await);
        configure(&mut options);
        let app = setup.with_bus().start::<Collaboration>(options).await;
        let far = FarEnd::new(&app.bus_args.nats_url).await;
        let scene = Self {
            app,
            far,
            records,
            summary,
        };
        for account in others.iter().chain([&ALDER]) {
            scene.list(&lead(account)).await;
        }
        for other in others.iter().filter(|other| **other != DOGWOOD) {
            scene.connect(ALDER, other, 1, true).await;
            scene.connect(other, ALDER, 1, true).await;
        }
        let connected = others.iter().filter(|other| **other != DOGWOOD).count();
        let mut admin = scene.app.database.admin::<Collaboration>().await;
        eventually(async || {
            let found: i64 = sqlx::query_scalar("SELECT count(*) FROM connected WHERE is_active")
                .fetch_one(&mut admin)
                .await
                .expect("a count");
            if found == 2 * connected as i64 {
                Ok(())
            } else {
                Err(format!("{found} connections"))
            }
        })
        .await;
        scene
    }

    /// Says that a connection of two companies begins or ends, to the first one.
    pub async fn connect(&self, account: &str, other: &str, revision: i64, is_active: bool) {
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
            self.far.tell("partner", account, &id, revision, &event).await;
        } else {
            let event = partner_api::ConnectionCanceled {
                detail,
                canceled_by_account_id: account.to_owned(),
            };
            self.far.tell("partner", account, &id, revision, &event).await;
        }
    }

    pub fn by(&self, caller: &Caller) -> Calls {
        CollaborationServiceClient::new(self.app.by(caller))
    }

    pub fn snapshots(&self, caller: &Caller) -> Snapshots {
        SnapshotServiceClient::new(self.app.by(caller))
    }

    pub fn channels(&self, caller: &Caller) -> Channels {
        ChannelServiceClient::new(self.app.by(caller))
    }

    /// The engagements that somebody sees.
    pub async fn list(&self, caller: &Caller) -> Vec<pb::Engagement> {
        let request = pb::ListEngagementsRequest::default();
        let answer = self.by(caller).list_engagements(request).await;
        answer.expect("a list").into_inner().engagements
    }

    /// The invitations that somebody sees.
    pub async fn invitations(&self, caller: &Caller) -> Vec<pb::EngagementInvitation> {
        let request = pb::ListEngagementInvitationsRequest::default();
        let answer = self.by(caller).list_engagement_invitations(request).await;
        answer.expect("a list").into_inner().engagement_invitations
    }

    /// Alder shares its deal.
    pub async fn share(&self, receivers: &[&str]) -> pb::ShareOpportunityResponse {
        let answer = self.by(&lead(ALDER)).share_opportunity(share(receivers)).await;
        answer.expect("a shared opportunity").into_inner()
    }

    /// Alder shares its deal, and they accept it; the engagement's id.
    pub async fn engage(&self, receivers: &[&str]) -> String {
        let shared = self.share(receivers).await;
        for invitation in &shared.engagement_invitations {
            self.accept(invitation).await;
        }
        shared.engagement.expect("an engagement").engagement_id
    }

    /// The receiver accepts.
    pub async fn accept(&self, invitation: &pb::EngagementInvitation) -> pb::EngagementInvitation {
        let request = accept(&invitation.engagement_invitation_id);
        let receiver = lead(&invitation.receiver_account_id);
        let answer = self.by(&receiver).accept_engagement_invitation(request).await;
        answer
            .expect("an acceptance")
            .into_inner()
            .engagement_invitation
            .expect("the invitation")
    }

    /// The engagement as somebody sees it.
    pub async fn get(&self, caller: &Caller, id: &str) -> Result<pb::Engagement, tonic::Status> {
        let request = pb::GetEngagementRequest {
            engagement_id: id.to_owned(),
        };
        let answer = self.by(caller).get_engagement(request).await?;
        Ok(answer.into_inner().engagement.expect("the engagement"))
    }

    /// Where the companies stand, in the order in which they came.
    pub async fn members(&self, caller: &Caller, id: &str) -> Vec<(String, pb::EngagementMemberState)> {
        let request = pb::ListEngagementMembersRequest {
            engagement_id: id.to_owned(),
            ..Default::default()
        };
        let answer = self.by(caller).list_engagement_members(request).await;
        let members = answer.expect("a list").into_inner().engagement_members;
        members
            .into_iter()
            .map(|one| (one.account_id.clone(), one.state()))
            .collect()
    }

    /// How many events there are with this end of their subject, for an account.
    pub async fn told(&self, account: &str, verb: &str) -> i64 {
        let mut admin = self.app.database.admin::<Collaboration>().await;
        sqlx::query_scalar(
            "SELECT count(*) FROM event_journal WHERE account_id = $1 AND subject LIKE '%.' || $2",
        )
        .bind(account.to_owned())
        .bind(verb.to_owned())
        .fetch_one(&mut admin)
        .await
        .expect("a count")
    }
}

pub fn lead(account: &str) -> Caller {
    partner(&format!("mem-lead-{account}"), account, Role::AllianceLead)
}

pub fn sales() -> Caller {
    aws("mem-sales", Role::SalesRepresentative)
}

pub fn request_id() -> String {
    random::uuid(Clock::system().now()).to_string()
}

pub fn receiver(account: &str) -> pb::ShareReceiver {
    pb::ShareReceiver {
        account_id: account.to_owned(),
        alias: format!("our friend {account}"),
        responsibilities: vec![ReceiverResponsibility::Reseller.into()],
    }
}

pub fn share(receivers: &[&str]) -> pb::ShareOpportunityRequest {
    pb::ShareOpportunityRequest {
        opportunity_id: DEAL.to_owned(),
        receivers: receivers.iter().map(|account| receiver(account)).collect(),
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

pub fn accept(id: &str) -> pb::AcceptEngagementInvitationRequest {
    pb::AcceptEngagementInvitationRequest {
        engagement_invitation_id: id.to_owned(),
        ..Default::default()
    }
}

pub fn reject(id: &str) -> pb::RejectEngagementInvitationRequest {
    pb::RejectEngagementInvitationRequest {
        engagement_invitation_id: id.to_owned(),
        reason: RejectionReason::UnableToSupport.into(),
        ..Default::default()
    }
}

pub fn cancel(id: &str) -> pb::CancelEngagementInvitationRequest {
    pb::CancelEngagementInvitationRequest {
        engagement_invitation_id: id.to_owned(),
        ..Default::default()
    }
}

/// Words that a partner must not read before it accepts.
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
pub fn deal() -> opportunity::Opportunity {
    opportunity::Opportunity {
        opportunity_id: DEAL.to_owned(),
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

/// A refusal, taken apart.
pub fn why(status: &tonic::Status) -> Refusal {
    Refusal::from(status)
}
