//! A running installation with related partner accounts, records of one account, and clients for any caller.

use bytes::Bytes;
use cosell::demo::MemberClient;
use cosell::directory;
use cosell_grpc::Issuer;
use cosell_proto::cosell::notification::v1 as notification;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::catalog_service_client::CatalogServiceClient;
use cosell_proto::cosell::opportunity::v1::import_opportunities_request::Part;
use cosell_proto::cosell::partner::v1 as partner;
use cosell_proto::cosell::review::v1::{
    ClaimReviewCaseRequest, DecideReviewRequest, ListReviewCasesRequest, ReviewDecision,
};
use cosell_proto::google::longrunning::GetOperationRequest;
use cosell_testkit::harness::{Client, PeerStub, eventually, member, service};
use cosell_types::{Caller, Clock, Role, Side};
use prost_reflect::{DynamicMessage, MethodDescriptor};
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Request, Status};

pub use crate::directory_records::{apply_account, apply_alliance_lead, apply_partner, partner_account};
use crate::payloads::HAZEL;
pub use crate::payloads::{CANARY, ELM, EMAIL_DOMAIN, FIR, OWNER, SUBMITTED_CANARY};
use crate::raw_codec::RawCodec;
use crate::requests::Records;
use crate::{TestServers, valid_opportunity};

/// A running installation, and what clients need to call it.
pub struct Scenario<'a> {
    /// The servers that the services run on.
    pub servers: &'a TestServers,
    /// A channel to the services, without a token.
    pub channel: Channel,
    /// The issuer whose tokens the services accept.
    pub issuer: Issuer,
    /// The folder with the tokens of seeded members.
    pub tokens: std::path::PathBuf,
}

impl<'a> Scenario<'a> {
    /// A scenario on services that run on `servers`.
    pub fn new(servers: &'a TestServers, channel: Channel, info: &cosell::StackInfo) -> Self {
        Self {
            servers,
            channel,
            issuer: cosell::issuer(&servers.state(), Clock::system()).expect("the issuer"),
            tokens: info.tokens.clone(),
        }
    }

    /// A client that calls as a seeded member.
    pub fn member(&self, id: &str) -> MemberClient {
        MemberClient::new(&self.channel, &self.tokens, id).expect("a seeded member")
    }

    /// A client that calls as `caller`, with a new token.
    pub fn client_of(&self, caller: &Caller) -> MemberClient {
        let token = self.issuer.token(caller).expect("a token");
        MemberClient::with_token(&self.channel, "caller", &token).expect("a client")
    }

    /// Applies records to the directory.
    pub async fn provision(&self, records: Vec<partner::ApplyDirectoryRequest>) {
        let token = self.issuer.token(&service("provisioner")).expect("a token");
        let mut on_refusal = |_: i64, refusal: Status| panic!("{refusal:?}");
        directory::apply(
            self.channel.clone(),
            &token,
            futures::stream::iter(records),
            &mut on_refusal,
        )
        .await
        .expect("applied records");
    }

    /// Makes a call and returns the bytes of the response.
    pub async fn call(
        &self,
        client: Client,
        rpc: &MethodDescriptor,
        message: DynamicMessage,
    ) -> Result<Bytes, Status> {
        let mut grpc = Grpc::new(client.with_channel(self.channel.clone()));
        grpc.ready()
            .await
            .map_err(|error| Status::unknown(error.to_string()))?;
        let path = format!("/{}/{}", rpc.parent_service().full_name(), rpc.name());
        let path = path.parse().expect("a path");
        let answer = grpc.unary(Request::new(message), path, RawCodec).await?;
        Ok(answer.into_inner())
    }

    /// Creates the partner accounts Elm, Fir and Hazel, makes Alder's profile private, and makes Elm a connected
    /// partner and a subsidiary of Alder.
    pub async fn provision_partners(&self) {
        let mut alder = partner_account(cosell::ALDER, "Alder Cloud Services");
        alder.legal_name = format!("{CANARY} Ltd");
        alder.visibility = partner::ProfileVisibility::Private.into();
        alder.profile.get_or_insert_default().description = format!("{CANARY} description");
        self.provision(vec![
            apply_partner(ELM, "Elm"),
            apply_alliance_lead(ELM, "elm-lead"),
            apply_partner(FIR, "Fir"),
            apply_alliance_lead(FIR, "fir-lead"),
            apply_partner(HAZEL, "Hazel"),
            apply_alliance_lead(HAZEL, "hazel-lead"),
            apply_account(alder),
        ])
        .await;
        self.connect(cosell::ALDER, ELM, "Let us work together").await;
        let request = partner::AcceptConnectionInvitationRequest {
            connection_invitation_id: self.invite(cosell::ALDER, ELM, "Become our subsidiary").await,
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let mut elm = self.client_of(&alliance_lead(ELM)).connections();
        let accepted = elm.accept_connection_invitation(request).await;
        accepted.expect("a subsidiary");
        self.servers.wait_until_idle().await;
    }

    /// Creates records of Alder and returns their ids: a draft, a submitted opportunity with its review case, an
    /// approved opportunity with an AWS summary, a pending invitation to Fir and a connection with it, a lead, a
    /// notification, preferences of all kinds, an engagement with Hazel, and a channel. All texts that its members
    /// write hold a canary.
    pub async fn create_records(&self) -> Records {
        let connection = self
            .connect(cosell::ALDER, FIR, &format!("{CANARY} connects"))
            .await;
        let invitation = self
            .invite(cosell::ALDER, FIR, &format!("{CANARY} invites"))
            .await;
        self.set_profiles_and_preferences().await;
        self.apply_solution().await;
        let owner = self.member(OWNER);
        let mut content = opportunity_without_contacts();
        let project = content.project.get_or_insert_default();
        project.title = format!("{SUBMITTED_CANARY} title");
        let customer = content.customer.get_or_insert_default();
        customer.account.get_or_insert_default().company_name = format!("{SUBMITTED_CANARY} company");
        let submitted = create(&owner, content).await;
        submit(&owner, &submitted).await;
        let review_case = self.claim_case(&submitted).await;
        let approved = create(&owner, opportunity_without_contacts()).await;
        submit(&owner, &approved).await;
        self.approve_with_aws_summary(&approved).await;
        let notification = eventually(async || {
            let request = notification::ListNotificationsRequest::default();
            let list = owner.notifications().list_notifications(request).await;
            let mut list = list.expect("an inbox").into_inner().notifications;
            list.pop().ok_or("the inbox is empty")
        });
        let notification = notification.await.notification_id;
        let flag = opportunity::FlagOpportunityRequest {
            opportunity_id: submitted.clone(),
            flagged: Some(true),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let flagged = owner.opportunities().flag_opportunity(flag).await;
        flagged.expect("a flag");
        let (referral, offer) = self.refer_opportunity().await;
        let lead = self.create_assigned_lead().await;
        let shared = self.share_opportunities(&submitted, &approved).await;
        let channel = self.request_channel_as_owner(&approved).await;
        let records = Records {
            account: cosell::ALDER.to_owned(),
            opportunity: create(&owner, confidential_opportunity()).await,
            submitted,
            approved,
            review_case,
            member: "alder-ace-manager".to_owned(),
            profile: self.profile_id(&alliance_lead(cosell::ALDER)).await,
            invitation,
            connection,
            notification,
            job: self.import_file().await,
            offer,
            referral,
            lead,
            engagement: shared.engagement,
            engagement_invitation: shared.invitation,
            snapshot_job: shared.job,
            channel,
        };
        self.servers.wait_until_idle().await;
        records
    }

    /// Updates and invites members of Alder, and sets its notification and connection preferences.
    async fn set_profiles_and_preferences(&self) {
        let birch = self.profile_id(&alliance_lead(cosell::BIRCH)).await;
        let preferences = notification::UpdateNotificationPreferencesRequest {
            email_opt_outs: vec![notification::NotificationKind::MemberDeactivated.into()],
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let mut notifications = self.member(OWNER).notifications();
        notifications
            .update_notification_preferences(preferences)
            .await
            .expect("preferences");
        let alder = self.client_of(&alliance_lead(cosell::ALDER));
        let preferences = partner::UpdateConnectionPreferencesRequest {
            access_type: partner::AccessType::AllowByDefaultDenySome.into(),
            excluded_profile_ids: vec![birch],
            etag: "1".to_owned(),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let set = alder
            .connections()
            .update_connection_preferences(preferences)
            .await;
        set.expect("preferences");
        let request = partner::UpdateMemberRequest {
            member_id: "alder-ace-manager".to_owned(),
            person: Some(partner::Person {
                first_name: "Chiara".to_owned(),
                last_name: "Rossi".to_owned(),
                email: format!("chiara.rossi{EMAIL_DOMAIN}"),
                title: format!("{CANARY} manager"),
                ..Default::default()
            }),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        alder.members().update_member(request).await.expect("a member");
        let invitation = partner::InviteMemberRequest {
            member_id: "alder-invited".to_owned(),
            person: Some(partner::Person {
                first_name: CANARY.to_owned(),
                last_name: "Invited".to_owned(),
                email: format!("invited{EMAIL_DOMAIN}"),
                ..Default::default()
            }),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        alder
            .members()
            .invite_member(invitation)
            .await
            .expect("an invitation to join");
    }

    /// Applies a solution of Alder to the catalog.
    async fn apply_solution(&self) {
        let solutions = opportunity::ApplySolutionsRequest {
            account_id: cosell::ALDER.to_owned(),
            solutions: vec![opportunity::Solution {
                solution_id: "S-1".to_owned(),
                name: format!("{CANARY} solution"),
                status: opportunity::SolutionStatus::Active.into(),
                category: "Software Product".to_owned(),
                ..Default::default()
            }],
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let client = Client::new(&self.issuer, Some(&service("provisioner")));
        let mut catalog = CatalogServiceClient::new(client.with_channel(self.channel.clone()));
        catalog.apply_solutions(solutions).await.expect("a solution");
    }

    /// Imports a file as [`OWNER`] and returns the job's name.
    async fn import_file(&self) -> String {
        let options = opportunity::ImportOptions {
            format: opportunity::FileFormat::JsonLines.into(),
            file_name: format!("{CANARY}.jsonl"),
            ..Default::default()
        };
        let content = format!("{{\"project\": {{\"title\": \"{CANARY}\"}}}}\n").into_bytes();
        let parts = [Part::Options(options), Part::Content(content)];
        let parts = parts.map(|part| opportunity::ImportOpportunitiesRequest { part: Some(part) });
        let mut bulk = self.member(OWNER).bulk();
        let started = bulk.import_opportunities(futures::stream::iter(parts)).await;
        let name = started.expect("a job").into_inner().name;
        let mut operations = self.member(OWNER).operations();
        eventually(async || {
            let request = GetOperationRequest { name: name.clone() };
            let job = operations
                .get_operation(request)
                .await
                .expect("the job")
                .into_inner();
            if job.done {
                Ok(())
            } else {
                Err("the job is running")
            }
        })
        .await;
        name
    }

    /// Claims the review case of a submission as a reviewer and returns its id.
    pub async fn claim_case(&self, opportunity: &str) -> String {
        let mut reviews = self.member("aws-reviewer").reviews();
        let case = eventually(async || {
            let request = ListReviewCasesRequest::default();
            let list = reviews.list_review_cases(request).await.expect("a queue");
            let mut cases = list.into_inner().review_cases.into_iter();
            cases
                .find(|case| case.opportunity_id == opportunity)
                .ok_or("the review case does not exist yet")
        });
        let review_case_id = case.await.review_case_id;
        let claim = ClaimReviewCaseRequest {
            review_case_id: review_case_id.clone(),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        reviews.claim_review_case(claim).await.expect("a claim");
        review_case_id
    }

    /// Approves a submission and adds a contact of AWS to its AWS summary, whom only the account may see.
    async fn approve_with_aws_summary(&self, opportunity: &str) {
        let decision = DecideReviewRequest {
            review_case_id: self.claim_case(opportunity).await,
            decision: ReviewDecision::Approve.into(),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let mut reviews = self.member("aws-reviewer").reviews();
        reviews.decide_review(decision).await.expect("a decision");
        let summary = opportunity::AwsOpportunitySummary {
            opportunity_team: vec![opportunity::Contact {
                last_name: CANARY.to_owned(),
                business_title: "PSM".to_owned(),
                ..Default::default()
            }],
            // Makes the opportunity eligible for a channel.
            strategic: Some(true),
            ..Default::default()
        };
        let change = opportunity::UpdateAwsOpportunitySummaryRequest {
            opportunity_id: opportunity.to_owned(),
            aws_opportunity_summary: Some(summary),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        // Succeeds once the opportunity service has applied the decision.
        let mut summaries = self.member("aws-account-owner").aws_summaries();
        eventually(async || {
            let answer = summaries.update_aws_opportunity_summary(change.clone()).await;
            answer.map(drop).map_err(|status| status.message().to_owned())
        })
        .await;
    }

    /// The profile id of the caller's account.
    pub async fn profile_id(&self, caller: &Caller) -> String {
        let request = partner::GetAccountRequest::default();
        let own = self.client_of(caller).accounts().get_account(request).await;
        let own = own.expect("an account").into_inner().account.expect("an account");
        own.profile.expect("a profile").profile_id
    }

    /// Connects two partner accounts, the second of which has a public profile, and returns the connection's id.
    pub async fn connect(&self, sender: &str, receiver: &str, message: &str) -> String {
        let profile = self.profile_id(&alliance_lead(receiver)).await;
        let request = partner::AcceptConnectionInvitationRequest {
            connection_invitation_id: self.invite(sender, &profile, message).await,
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let answer = self
            .client_of(&alliance_lead(receiver))
            .connections()
            .accept_connection_invitation(request)
            .await
            .expect("a connection");
        let connection = answer.into_inner().connection;
        connection.expect("a connection").connection_id
    }

    /// Sends a connection invitation and returns its id. A profile id as receiver invites to collaborate on
    /// opportunities, an account id to become a subsidiary.
    pub async fn invite(&self, sender: &str, receiver: &str, message: &str) -> String {
        let kind = if receiver.starts_with("pprofile-") {
            partner::ConnectionType::OpportunityCollaboration
        } else {
            partner::ConnectionType::Subsidiary
        };
        let request = partner::CreateConnectionInvitationRequest {
            r#type: kind.into(),
            receiver_id: receiver.to_owned(),
            inviter_name: message.to_owned(),
            inviter_email: "contact@connected.example".to_owned(),
            message: message.to_owned(),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let created = self
            .client_of(&alliance_lead(sender))
            .connections()
            .create_connection_invitation(request)
            .await
            .expect("an invitation");
        let invitation = created.into_inner().connection_invitation;
        invitation.expect("an invitation").connection_invitation_id
    }
}

/// The alliance lead of a partner account as caller.
pub fn alliance_lead(account: &str) -> Caller {
    let id = match account {
        cosell::ALDER => "alder-alliance-lead".to_owned(),
        cosell::BIRCH => "birch-alliance-lead".to_owned(),
        ELM => "elm-lead".to_owned(),
        FIR => "fir-lead".to_owned(),
        HAZEL => "hazel-lead".to_owned(),
        other => format!("lead-{other}"),
    };
    member(&id, account, Side::Partner, &[Role::AllianceLead])
}

/// A valid opportunity without contacts.
pub fn opportunity_without_contacts() -> opportunity::Opportunity {
    let mut opportunity = valid_opportunity();
    opportunity.opportunity_team.clear();
    opportunity.customer.get_or_insert_default().contacts.clear();
    opportunity
}

fn confidential_opportunity() -> opportunity::Opportunity {
    let mut opportunity = valid_opportunity();
    let project = opportunity.project.get_or_insert_default();
    project.title = format!("{CANARY} title");
    project.customer_business_problem = format!("{CANARY} has a problem that is long enough");
    let customer = opportunity.customer.get_or_insert_default();
    customer.account.get_or_insert_default().company_name = format!("{CANARY} company");
    opportunity
}

async fn create(client: &MemberClient, content: opportunity::Opportunity) -> String {
    let request = opportunity::CreateOpportunityRequest {
        opportunity: Some(content),
        request_id: PeerStub::id(),
        ..Default::default()
    };
    let created = client.opportunities().create_opportunity(request).await;
    let created = created.expect("an opportunity").into_inner().opportunity;
    created.expect("an opportunity").opportunity_id
}

async fn submit(client: &MemberClient, id: &str) {
    let request = opportunity::SubmitOpportunityRequest {
        opportunity_id: id.to_owned(),
        involvement_type: opportunity::InvolvementType::CoSell.into(),
        request_id: PeerStub::id(),
        ..Default::default()
    };
    let submitted = client.lifecycle().submit_opportunity(request).await;
    submitted.expect("a submission");
}
