//! What one account has, and what everybody else learns and changes of it: nothing.

use std::collections::BTreeMap;

use bytes::{Buf as _, Bytes};
use cosell::demo::Person;
use cosell::directory;
use cosell_grpc::Issuer;
use cosell_proto::cosell::notification::v1::{
    ListNotificationsRequest, NotificationKind, UpdatePreferencesRequest,
};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as partner;
use cosell_proto::cosell::partner::v1::partner_service_client::PartnerServiceClient;
use cosell_proto::cosell::review::v1::{ClaimReviewCaseRequest, ListReviewCasesRequest};
use cosell_testkit::harness::{Client, FarEnd, Refusal, eventually, member, service};
use cosell_types::{Caller, Clock, Role, Side};
use prost_reflect::{DynamicMessage, MethodDescriptor};
use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use tonic::client::Grpc;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use crate::requests::{Records, forged, request, rpcs};
use crate::{World, record, repository};

/// In what people of the account wrote.
const CANARY: &str = "Zzcanary";
/// Where its people are reached.
const ADDRESSES: &str = "@alder.example";
/// A partner that the account is connected with.
pub const ELM: &str = "444444444444";

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

    fn person(&self, id: &str) -> Person {
        Person::new(&self.channel, &self.tokens, id).expect("a seeded member")
    }

    /// Takes records over into the directory.
    pub async fn provision(&self, records: Vec<partner::ApplyDirectoryRequest>) {
        let token = self.issuer.token(&service("provisioner")).expect("a token");
        let mut tell = |_: i64, errors: &[String]| panic!("{errors:?}");
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

    /// What Alder has: a draft, a case of another record, an invitation and a connection with Elm, a notice. What its
    /// people wrote is a canary.
    pub async fn records(&self) -> Records {
        self.provision(vec![company(ELM, "Elm"), lead(ELM, "elm-lead")])
            .await;
        let alder = self.person("alder-alliance-lead");
        let elm = Client::new(&self.issuer, Some(&member("elm-lead", ELM, Side::Partner, &[])));
        let mut elm = PartnerServiceClient::new(elm.over(self.channel.clone()));
        let account = elm.get_account(partner::GetAccountRequest::default()).await;
        let account = account
            .expect("an account")
            .into_inner()
            .account
            .expect("an account");
        let profile = account.profile.expect("a profile").profile_id;
        let invitation = invite(
            &alder,
            partner::ConnectionType::OpportunityCollaboration,
            &profile,
        )
        .await;
        let accepting = partner::AcceptConnectionInvitationRequest {
            connection_invitation_id: invitation,
            ..Default::default()
        };
        let answer = elm
            .accept_connection_invitation(accepting)
            .await
            .expect("a connection");
        let connection = answer
            .into_inner()
            .connection
            .expect("a connection")
            .connection_id;
        let invitation = invite(&alder, partner::ConnectionType::Subsidiary, ELM).await;

        let user = self.person("alder-ace-user");
        let submitted = create(&user, anonymous()).await;
        let submission = opportunity::SubmitOpportunityRequest {
            opportunity_id: submitted.clone(),
            involvement_type: opportunity::InvolvementType::CoSell.into(),
            ..Default::default()
        };
        user.opportunities()
            .submit_opportunity(submission)
            .await
            .expect("a submission");
        let flag = opportunity::FlagOpportunityRequest {
            opportunity_id: submitted.clone(),
            flagged: true,
            ..Default::default()
        };
        user.opportunities().flag_opportunity(flag).await.expect("a flag");
        let reviewer = self.person("aws-reviewer");
        let case = eventually(async || {
            let request = ListReviewCasesRequest::default();
            let list = reviewer
                .reviews()
                .list_review_cases(request)
                .await
                .expect("a queue");
            let mut cases = list.into_inner().review_cases.into_iter();
            cases
                .find(|case| case.opportunity_id == submitted)
                .ok_or("the case is not there yet")
        });
        let case = case.await.review_case_id;
        let claim = ClaimReviewCaseRequest {
            review_case_id: case.clone(),
            request_id: FarEnd::id(),
            ..Default::default()
        };
        reviewer
            .reviews()
            .claim_review_case(claim)
            .await
            .expect("a claim");
        let notice = eventually(async || {
            let request = ListNotificationsRequest::default();
            let list = user
                .notifications()
                .list_notifications(request)
                .await
                .expect("an inbox");
            list.into_inner().notifications.pop().ok_or("the inbox is empty")
        });
        let notice = notice.await.notification_id;
        let preferences = UpdatePreferencesRequest {
            email_opt_outs: vec![NotificationKind::MemberLeft.into()],
            request_id: FarEnd::id(),
            ..Default::default()
        };
        let set = alder.notifications().update_preferences(preferences).await;
        set.expect("preferences");
        let inviting = partner::InviteMemberRequest {
            member_id: "alder-asked".to_owned(),
            person: Some(partner::Person {
                first_name: CANARY.to_owned(),
                last_name: "Asked".to_owned(),
                email: "asked@alder.example".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let asked = alder.partners().invite_member(inviting).await;
        asked.expect("an invitation to join");
        let own = alder
            .partners()
            .get_account(partner::GetAccountRequest::default())
            .await;
        let own = own.expect("an account").into_inner().account.expect("an account");
        let records = Records {
            account: cosell::ALDER.to_owned(),
            opportunity: create(&user, secret()).await,
            review_case: case,
            member: "alder-ace-manager".to_owned(),
            profile: own.profile.expect("a profile").profile_id,
            invitation,
            connection,
            notification: notice,
        };
        self.world.settled().await;
        records
    }

    /// Has everybody from outside call every RPC about these records, and looks at what they learn and what becomes of
    /// the records. With `taken_for`, the services take them for somebody of the account itself.
    pub async fn strangers_learn_and_change_nothing(&self, records: &Records, taken_for: &[Caller]) {
        let before = self.fingerprints(&records.account).await;
        let (rpcs, mut wrong) = (rpcs(), Vec::new());
        for stranger in strangers() {
            let records = seen_by(&stranger, records);
            let honest = Client::new(&self.issuer, Some(&stranger));
            let forging = taken_for
                .iter()
                .map(|caller| honest.clone().taken_for(&forged(caller)));
            let clients: Vec<_> = [honest.clone()].into_iter().chain(forging).collect();
            for rpc in &rpcs {
                for (number, client) in clients.iter().enumerate() {
                    let found = self.answers(client, rpc, &records, number > 0).await;
                    let name = |what| format!("{} by {}: {what}", rpc.name(), stranger.actor());
                    wrong.extend(found.into_iter().map(name));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        self.world.settled().await;
        for (table, after) in self.fingerprints(&records.account).await {
            assert_eq!(before.get(&table), Some(&after), "{table} has changed");
        }
    }

    /// Calls an RPC, with a request id and without; what is wrong with the answers.
    async fn answers(
        &self,
        client: &Client,
        rpc: &MethodDescriptor,
        records: &Records,
        is_forged: bool,
    ) -> Vec<String> {
        let mut found = Vec::new();
        for with_id in [true, false] {
            let mut message = request(rpc, records, &anonymous());
            let names = names_a_record(&message, records);
            if !with_id && rpc.input().get_field_by_name("request_id").is_some() {
                message.clear_field_by_name("request_id");
            }
            let answer = self.call(client.clone(), rpc, message).await;
            let text = match &answer {
                Ok(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Err(status) => format!(
                    "{} {}",
                    status.message(),
                    String::from_utf8_lossy(status.details())
                ),
            };
            let reason = answer.err().map(|status| Refusal::from(&status).reason);
            if text.contains(CANARY) || text.contains(ADDRESSES) {
                found.push("tells what people wrote".to_owned());
            }
            match reason {
                None if names => found.push("lets a stranger at a record".to_owned()),
                Some(reason) if names && !is_forged && !is_silent(&reason) => {
                    found.push(format!("is refused with {reason}"));
                }
                _ => {}
            }
        }
        found
    }

    /// A hash of all rows of an account in each table that has some.
    async fn fingerprints(&self, account: &str) -> BTreeMap<String, String> {
        let mut admin = self.world.admin().await;
        let mut prints = BTreeMap::new();
        for table in tables(&mut admin).await {
            let sql = format!(
                "SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t WHERE account_id = '{account}'"
            );
            let row = admin.fetch_one(AssertSqlSafe(sql)).await.expect("a hash");
            prints.insert(table, row.get(0));
        }
        prints
    }
}

/// Every table with rows of accounts, as `schema.table`.
pub async fn tables(admin: &mut sqlx::PgConnection) -> Vec<String> {
    let tables = sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id' AND NOT a.attisdropped
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY ($1) ORDER BY 1",
    )
    .bind(repository::contexts())
    .fetch_all(admin)
    .await
    .expect("tables");
    assert!(tables.len() > 30, "{tables:?}");
    tables
}

/// Everybody of another partner and of AWS, one of each role.
fn strangers() -> Vec<Caller> {
    let all = cosell::members();
    let outside = all.iter().filter(|member| member.account() != cosell::ALDER);
    outside.map(|member| member.caller().expect("a caller")).collect()
}

/// What a stranger calls about. AWS is no stranger to what was submitted.
fn seen_by(stranger: &Caller, records: &Records) -> Records {
    let Caller::Member(caller) = stranger else {
        panic!("a member")
    };
    let mut records = records.clone();
    if caller.side == Side::Aws {
        records.review_case = "rc-0000000000000".to_owned();
    }
    records
}

/// Whether a request names a record of the account that is not there for everybody.
fn names_a_record(message: &DynamicMessage, records: &Records) -> bool {
    let text = message.to_string();
    [
        &records.opportunity,
        &records.review_case,
        &records.member,
        &records.invitation,
        &records.connection,
        &records.notification,
    ]
    .iter()
    .any(|id| text.contains(id.as_str()))
}

/// Whether a reason tells nothing of a record.
fn is_silent(reason: &str) -> bool {
    reason == "ROLE_NOT_PERMITTED" || reason.ends_with("_NOT_FOUND")
}

/// A record without people in it.
fn anonymous() -> opportunity::Opportunity {
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
    made.expect("a record")
        .into_inner()
        .opportunity
        .expect("a record")
        .opportunity_id
}

async fn invite(person: &Person, kind: partner::ConnectionType, receiver: &str) -> String {
    let request = partner::CreateConnectionInvitationRequest {
        r#type: kind.into(),
        receiver_id: receiver.to_owned(),
        inviter_name: format!("{CANARY} Okafor"),
        inviter_email: format!("amara{ADDRESSES}"),
        message: format!("{CANARY} invites"),
        request_id: FarEnd::id(),
        ..Default::default()
    };
    let made = person.partners().create_connection_invitation(request).await;
    let made = made.expect("an invitation").into_inner();
    made.connection_invitation
        .expect("an invitation")
        .connection_invitation_id
}

/// A company with a public profile.
pub fn company(account: &str, name: &str) -> partner::ApplyDirectoryRequest {
    let profile = partner::Profile {
        display_name: name.to_owned(),
        primary_solution_type: partner::SolutionType::ManagedServices.into(),
        industry_segments: vec!["Retail".to_owned()],
        ..Default::default()
    };
    partner::ApplyDirectoryRequest {
        account: Some(partner::AccountRecord {
            account_id: account.to_owned(),
            side: partner::Side::Partner.into(),
            legal_name: format!("{name} Ltd"),
            display_name: name.to_owned(),
            terms_accepted: true,
            profile: Some(profile),
            visibility: partner::ProfileVisibility::Public.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The alliance lead of a company.
pub fn lead(account: &str, id: &str) -> partner::ApplyDirectoryRequest {
    use cosell_types::ClosedList as _;

    partner::ApplyDirectoryRequest {
        member: Some(partner::MemberRecord {
            account_id: account.to_owned(),
            member_id: id.to_owned(),
            person: Some(partner::Person {
                first_name: "Some".to_owned(),
                last_name: "Body".to_owned(),
                email: format!("{id}@{account}.example"),
                ..Default::default()
            }),
            roles: vec![Role::AllianceLead.number()],
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Answers as they are on the wire.
#[derive(Clone, Copy, Debug)]
struct Raw;

impl Codec for Raw {
    type Encode = DynamicMessage;
    type Decode = Bytes;
    type Encoder = <ProstCodec<DynamicMessage, ()> as Codec>::Encoder;
    type Decoder = Raw;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<DynamicMessage, ()>::raw_encoder(BufferSettings::default())
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(source.copy_to_bytes(source.remaining())))
    }
}
