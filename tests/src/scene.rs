//! An installation with companies that have to do with each other, and somebody who makes calls to it.

use bytes::Bytes;
use cosell::demo::Person;
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
use cosell_testkit::harness::{Client, FarEnd, eventually, member, service};
use cosell_types::{Caller, Clock, Role, Side};
use prost_reflect::{DynamicMessage, MethodDescriptor};
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Request, Status};

pub use crate::companies::{account_record, company, company_account, lead, of_company};
use crate::engagements::HAZEL;
use crate::raw::Raw;
use crate::requests::Records;
use crate::{World, record};

/// In what people of Alder wrote, for nobody outside but those whom they wrote to.
pub const CANARY: &str = "Zzcanary";
/// In what they handed to AWS.
pub const SUBMITTED: &str = "Zzsubmitted";
/// Where they are reached.
pub const ADDRESSES: &str = "@alder.example";
/// A partner that Alder is connected with.
pub const ELM: &str = "444444444444";
/// Another one, with which nobody else has to do.
pub const FIR: &str = "555555555555";
/// Who of Alder has all that a single person has: records, a notice, preferences.
pub const HOLDER: &str = "alder-ace-user";

/// An installation and somebody to make calls to it.
pub struct Scene<'a> {
    /// Its servers.
    pub world: &'a World,
    /// Calls, without a token.
    pub channel: Channel,
    /// The issuer of its tokens.
    pub issuer: Issuer,
    /// The folder with tokens of seeded members.
    pub tokens: std::path::PathBuf,
}

impl<'a> Scene<'a> {
    /// The installation on these servers.
    pub fn new(world: &'a World, channel: Channel, info: &cosell::StackInfo) -> Self {
        Self {
            world,
            channel,
            issuer: cosell::issuer(&world.state(), Clock::system()).expect("the issuer"),
            tokens: info.tokens.clone(),
        }
    }

    /// A seeded member.
    pub fn person(&self, id: &str) -> Person {
        Person::new(&self.channel, &self.tokens, id).expect("a seeded member")
    }

    /// Anybody, by a fresh token.
    pub fn by(&self, caller: &Caller) -> Person {
        let token = self.issuer.token(caller).expect("a token");
        Person::with_token(&self.channel, "anybody", &token).expect("somebody")
    }

    /// Takes records over into the directory.
    pub async fn provision(&self, records: Vec<partner::ApplyDirectoryRequest>) {
        let token = self.issuer.token(&service("provisioner")).expect("a token");
        let mut tell = |_: i64, refusal: Status| panic!("{refusal:?}");
        directory::apply(
            self.channel.clone(),
            &token,
            futures::stream::iter(records),
            &mut tell,
        )
        .await
        .expect("a list that is taken over");
    }

    /// Makes a call; the bytes of the answer.
    pub async fn call(
        &self,
        client: Client,
        rpc: &MethodDescriptor,
        message: DynamicMessage,
    ) -> Result<Bytes, Status> {
        let mut grpc = Grpc::new(client.over(self.channel.clone()));
        grpc.ready()
            .await
            .map_err(|error| Status::unknown(error.to_string()))?;
        let path = format!("/{}/{}", rpc.parent_service().full_name(), rpc.name());
        let path = path.parse().expect("a path");
        let answer = grpc.unary(Request::new(message), path, Raw).await?;
        Ok(answer.into_inner())
    }

    /// The companies around Alder, and Alder itself as nobody outside is to know it: with a private profile. Elm is
    /// connected with it, and under it.
    pub async fn neighbours(&self) {
        let mut alder = company_account(cosell::ALDER, "Alder Cloud Services");
        alder.legal_name = format!("{CANARY} Ltd");
        alder.visibility = partner::ProfileVisibility::Private.into();
        alder.profile.get_or_insert_default().description = format!("{CANARY} describes itself");
        self.provision(vec![
            company(ELM, "Elm"),
            lead(ELM, "elm-lead"),
            company(FIR, "Fir"),
            lead(FIR, "fir-lead"),
            company(HAZEL, "Hazel"),
            lead(HAZEL, "hazel-lead"),
            account_record(alder),
        ])
        .await;
        self.connect(cosell::ALDER, ELM, "Let us work together").await;
        let request = partner::AcceptConnectionInvitationRequest {
            connection_invitation_id: self.invite(cosell::ALDER, ELM, "Under us").await,
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let mut elm = self.by(&caller(ELM)).connections();
        let accepted = elm.accept_connection_invitation(request).await;
        accepted.expect("a subsidiary");
        self.world.settled().await;
    }

    /// What Alder has beside its neighbours: a draft, a case of another record, the AWS summary of a third, an
    /// invitation of Fir and a connection with it, a lead, a notice, preferences of all kinds, an engagement with
    /// Hazel, and a channel. What its people wrote is a canary.
    pub async fn records(&self) -> Records {
        let connection = self
            .connect(cosell::ALDER, FIR, &format!("{CANARY} connects"))
            .await;
        let invitation = self
            .invite(cosell::ALDER, FIR, &format!("{CANARY} invites"))
            .await;
        self.describe().await;
        self.register().await;
        let holder = self.person(HOLDER);
        let mut handed_over = anonymous();
        let project = handed_over.project.get_or_insert_default();
        project.title = format!("{SUBMITTED} title");
        let customer = handed_over.customer.get_or_insert_default();
        customer.account.get_or_insert_default().company_name = format!("{SUBMITTED} company");
        let submitted = create(&holder, handed_over).await;
        submit(&holder, &submitted).await;
        let review_case = self.claimed(&submitted).await;
        let approved = create(&holder, anonymous()).await;
        submit(&holder, &approved).await;
        self.summarised(&approved).await;
        let notification = eventually(async || {
            let request = notification::ListNotificationsRequest::default();
            let list = holder.notifications().list_notifications(request).await;
            let mut list = list.expect("an inbox").into_inner().notifications;
            list.pop().ok_or("the inbox is empty")
        });
        let notification = notification.await.notification_id;
        let flag = opportunity::FlagOpportunityRequest {
            opportunity_id: submitted.clone(),
            flagged: Some(true),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let flagged = holder.opportunities().flag_opportunity(flag).await;
        flagged.expect("a flag");
        let (referral, offer) = self.referred().await;
        let lead = self.led().await;
        let engaged = self.engaged(&submitted, &approved).await;
        let channel = self.chatted(&approved).await;
        let records = Records {
            account: cosell::ALDER.to_owned(),
            opportunity: create(&holder, secret()).await,
            submitted,
            approved,
            review_case,
            member: "alder-ace-manager".to_owned(),
            profile: self.profile(&caller(cosell::ALDER)).await,
            invitation,
            connection,
            notification,
            job: self.import().await,
            offer,
            referral,
            lead,
            engagement: engaged.engagement,
            engagement_invitation: engaged.invitation,
            snapshot_job: engaged.job,
            channel,
        };
        self.world.settled().await;
        records
    }

    /// Has Alder's people change what says of themselves and what they want to hear.
    async fn describe(&self) {
        let birch = self.profile(&caller(cosell::BIRCH)).await;
        let preferences = notification::UpdateNotificationPreferencesRequest {
            email_opt_outs: vec![notification::NotificationKind::MemberDeactivated.into()],
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let mut holder = self.person(HOLDER).notifications();
        holder
            .update_notification_preferences(preferences)
            .await
            .expect("preferences");
        let alder = self.by(&caller(cosell::ALDER));
        let preferences = partner::UpdateConnectionPreferencesRequest {
            access_type: partner::AccessType::AllowByDefaultDenySome.into(),
            excluded_profile_ids: vec![birch],
            etag: "1".to_owned(),
            request_id: FarEnd::id(),
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
                email: format!("chiara.rossi{ADDRESSES}"),
                title: format!("{CANARY} manager"),
                ..Default::default()
            }),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        alder.members().update_member(request).await.expect("a member");
        let inviting = partner::InviteMemberRequest {
            member_id: "alder-asked".to_owned(),
            person: Some(partner::Person {
                first_name: CANARY.to_owned(),
                last_name: "Asked".to_owned(),
                email: format!("asked{ADDRESSES}"),
                ..Default::default()
            }),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        alder
            .members()
            .invite_member(inviting)
            .await
            .expect("an invitation to join");
    }

    /// Has a solution of Alder's taken over.
    async fn register(&self) {
        let solutions = opportunity::ApplySolutionsRequest {
            account_id: cosell::ALDER.to_owned(),
            solutions: vec![opportunity::Solution {
                solution_id: "S-1".to_owned(),
                name: format!("{CANARY} solution"),
                status: opportunity::SolutionStatus::Active.into(),
                category: "Software Product".to_owned(),
                ..Default::default()
            }],
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let client = Client::new(&self.issuer, Some(&service("provisioner")));
        let mut keeper = CatalogServiceClient::new(client.over(self.channel.clone()));
        keeper.apply_solutions(solutions).await.expect("a solution");
    }

    /// Has a file of the holder's taken in; the job's name.
    async fn import(&self) -> String {
        let options = opportunity::ImportOptions {
            format: opportunity::FileFormat::JsonLines.into(),
            file_name: format!("{CANARY}.jsonl"),
            ..Default::default()
        };
        let content = format!("{{\"project\": {{\"title\": \"{CANARY}\"}}}}\n").into_bytes();
        let parts = [Part::Options(options), Part::Content(content)];
        let parts = parts.map(|part| opportunity::ImportOpportunitiesRequest { part: Some(part) });
        let mut bulk = self.person(HOLDER).bulk();
        let begun = bulk.import_opportunities(futures::stream::iter(parts)).await;
        let name = begun.expect("a job").into_inner().name;
        let mut operations = self.person(HOLDER).operations();
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

    /// The case that a submission opened, which a reviewer has claimed.
    pub async fn claimed(&self, opportunity: &str) -> String {
        let mut reviews = self.person("aws-reviewer").reviews();
        let case = eventually(async || {
            let request = ListReviewCasesRequest::default();
            let list = reviews.list_review_cases(request).await.expect("a queue");
            let mut cases = list.into_inner().review_cases.into_iter();
            cases
                .find(|case| case.opportunity_id == opportunity)
                .ok_or("the case is not there yet")
        });
        let review_case_id = case.await.review_case_id;
        let claim = ClaimReviewCaseRequest {
            review_case_id: review_case_id.clone(),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        reviews.claim_review_case(claim).await.expect("a claim");
        review_case_id
    }

    /// Has a submission approved, and somebody of AWS named in its AWS summary, whom only the account is to know.
    async fn summarised(&self, opportunity: &str) {
        let decision = DecideReviewRequest {
            review_case_id: self.claimed(opportunity).await,
            decision: ReviewDecision::Approve.into(),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let mut reviews = self.person("aws-reviewer").reviews();
        reviews.decide_review(decision).await.expect("a decision");
        let summary = opportunity::AwsOpportunitySummary {
            opportunity_team: vec![opportunity::Contact {
                last_name: CANARY.to_owned(),
                business_title: "PSM".to_owned(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let change = opportunity::UpdateAwsOpportunitySummaryRequest {
            opportunity_id: opportunity.to_owned(),
            aws_opportunity_summary: Some(summary),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        // Possible once the record has followed the decision.
        let mut calls = self.person("aws-account-owner").aws_summaries();
        eventually(async || {
            let answer = calls.update_aws_opportunity_summary(change.clone()).await;
            answer.map(drop).map_err(|status| status.message().to_owned())
        })
        .await;
    }

    /// The id of the profile of somebody's company.
    pub async fn profile(&self, caller: &Caller) -> String {
        let request = partner::GetAccountRequest::default();
        let own = self.by(caller).accounts().get_account(request).await;
        let own = own.expect("an account").into_inner().account.expect("an account");
        own.profile.expect("a profile").profile_id
    }

    /// Connects two companies, of which the second has a public profile; the connection's id.
    pub async fn connect(&self, sender: &str, receiver: &str, words: &str) -> String {
        let profile = self.profile(&caller(receiver)).await;
        let request = partner::AcceptConnectionInvitationRequest {
            connection_invitation_id: self.invite(sender, &profile, words).await,
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let answer = self
            .by(&caller(receiver))
            .connections()
            .accept_connection_invitation(request)
            .await
            .expect("a connection");
        let connection = answer.into_inner().connection;
        connection.expect("a connection").connection_id
    }

    /// Invites a company, by its profile to work together, or by its account to be under the sender; the invitation's
    /// id.
    pub async fn invite(&self, sender: &str, receiver: &str, words: &str) -> String {
        let kind = if receiver.starts_with("pprofile-") {
            partner::ConnectionType::OpportunityCollaboration
        } else {
            partner::ConnectionType::Subsidiary
        };
        let request = partner::CreateConnectionInvitationRequest {
            r#type: kind.into(),
            receiver_id: receiver.to_owned(),
            inviter_name: words.to_owned(),
            inviter_email: "somebody@connected.example".to_owned(),
            message: words.to_owned(),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let made = self
            .by(&caller(sender))
            .connections()
            .create_connection_invitation(request)
            .await
            .expect("an invitation");
        let made = made.into_inner().connection_invitation;
        made.expect("an invitation").connection_invitation_id
    }
}

/// The alliance lead of a partner.
pub fn caller(account: &str) -> Caller {
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

/// A record without people in it.
pub fn anonymous() -> opportunity::Opportunity {
    let mut anonymous = record();
    anonymous.opportunity_team.clear();
    anonymous.customer.get_or_insert_default().contacts.clear();
    anonymous
}

fn secret() -> opportunity::Opportunity {
    let mut secret = record();
    let project = secret.project.get_or_insert_default();
    project.title = format!("{CANARY} title");
    project.customer_business_problem = format!("{CANARY} has a problem that is long enough");
    let customer = secret.customer.get_or_insert_default();
    customer.account.get_or_insert_default().company_name = format!("{CANARY} company");
    secret
}

async fn create(person: &Person, record: opportunity::Opportunity) -> String {
    let request = opportunity::CreateOpportunityRequest {
        opportunity: Some(record),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    let made = person.opportunities().create_opportunity(request).await;
    let made = made.expect("a record").into_inner().opportunity;
    made.expect("a record").opportunity_id
}

async fn submit(person: &Person, id: &str) {
    let request = opportunity::SubmitOpportunityRequest {
        opportunity_id: id.to_owned(),
        involvement_type: opportunity::InvolvementType::CoSell.into(),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    let submitted = person.lifecycle().submit_opportunity(request).await;
    submitted.expect("a submission");
}
