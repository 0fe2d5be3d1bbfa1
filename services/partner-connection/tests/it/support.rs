//! A running service with three partners and AWS in its directory.

use cosell_partner_connection::{Options, Partners};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::account_service_client::AccountServiceClient;
use cosell_proto::cosell::partner::v1::apply_directory_request as request;
use cosell_proto::cosell::partner::v1::connection_service_client::ConnectionServiceClient;
use cosell_proto::cosell::partner::v1::member_service_client::MemberServiceClient;
use cosell_testkit::harness::{App, Client, Setup, member, service};
use cosell_types::{Caller, Clock, ClosedList as _, Role, Side, random};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

/// The calls of one caller to every gRPC service of this one.
#[derive(Clone)]
pub struct Calls(InterceptedService<Channel, Client>);

impl Calls {
    pub fn accounts(&self) -> AccountServiceClient<InterceptedService<Channel, Client>> {
        AccountServiceClient::new(self.0.clone())
    }

    pub fn connections(&self) -> ConnectionServiceClient<InterceptedService<Channel, Client>> {
        ConnectionServiceClient::new(self.0.clone())
    }

    pub fn members(&self) -> MemberServiceClient<InterceptedService<Channel, Client>> {
        MemberServiceClient::new(self.0.clone())
    }
}

pub const ALDER: &str = "111111111111";
pub const BIRCH: &str = "222222222222";
pub const CEDAR: &str = "333333333333";
pub const AWS: &str = "999999999999";

/// The service without a bus, its clock at 2 March 2026, and its directory.
pub async fn start() -> App {
    start_with(Options::default()).await
}

pub async fn start_with(options: Options) -> App {
    let app = Setup::default().start::<Partners>(options).await;
    enrol(&app).await;
    app
}

/// Takes three partners, AWS and their members in; Cedar has no profile.
pub async fn enrol(app: &App) {
    let mut records = Vec::new();
    for (account, name) in [(ALDER, "Alder"), (BIRCH, "Birch"), (CEDAR, "Cedar")] {
        let mut record = company(account, name);
        if account == CEDAR {
            record.profile = None;
        }
        records.push(account_record(record));
        for (role, title) in [
            (Role::AllianceLead, "lead"),
            (Role::AllianceTeam, "team"),
            (Role::AceManager, "manager"),
            (Role::AceUser, "user"),
            (Role::CloudAdmin, "admin"),
            (Role::StandardUser, "standard"),
        ] {
            let id = format!("{}-{title}", name.to_lowercase());
            records.push(member_record(person(account, &id, &[role])));
        }
    }
    let mut aws = company(AWS, "AWS");
    aws.side = pb::Side::Aws.into();
    aws.profile = None;
    records.push(account_record(aws));
    records.push(member_record(person(AWS, "aws-pdm", &[Role::Pdm])));
    let answers = apply(app, records).await;
    for answer in answers {
        assert_eq!(answer.result(), pb::ApplyResult::Created, "{:?}", answer.error);
    }
}

pub fn account_record(record: pb::AccountRecord) -> pb::ApplyDirectoryRequest {
    pb::ApplyDirectoryRequest {
        record: Some(request::Record::Account(record)),
        ..Default::default()
    }
}

pub fn member_record(record: pb::MemberRecord) -> pb::ApplyDirectoryRequest {
    pb::ApplyDirectoryRequest {
        record: Some(request::Record::Member(record)),
        ..Default::default()
    }
}

pub fn company(account: &str, name: &str) -> pb::AccountRecord {
    pb::AccountRecord {
        account_id: account.to_owned(),
        side: pb::Side::Partner.into(),
        legal_name: format!("{name} Ltd"),
        display_name: name.to_owned(),
        partner_types: vec![pb::PartnerType::Isv.into()],
        programs: vec!["Well-Architected".to_owned()],
        specializations: vec!["Migration".to_owned()],
        profile: Some(profile(name)),
        visibility: pb::ProfileVisibility::Public.into(),
        ..Default::default()
    }
}

pub fn profile(name: &str) -> pb::Profile {
    pb::Profile {
        display_name: name.to_owned(),
        description: format!("{name} moves warehouses of data"),
        website_url: format!("https://{}.example", name.to_lowercase().replace(' ', "-")),
        primary_solution_type: pb::SolutionType::SoftwareProducts.into(),
        industry_segments: vec!["Retail".to_owned()],
        locale: "en-US".to_owned(),
        headquarters_country_code: "DE".to_owned(),
        ..Default::default()
    }
}

pub fn person(account: &str, id: &str, roles: &[Role]) -> pb::MemberRecord {
    pb::MemberRecord {
        account_id: account.to_owned(),
        member_id: id.to_owned(),
        person: Some(named(id)),
        roles: roles.iter().map(|role| role.number()).collect(),
        ..Default::default()
    }
}

pub fn named(id: &str) -> pb::Person {
    pb::Person {
        first_name: "First".to_owned(),
        last_name: "Last".to_owned(),
        email: format!("{id}@partners.example"),
        ..Default::default()
    }
}

/// The results of records that are applied one after the other.
pub async fn apply(app: &App, records: Vec<pb::ApplyDirectoryRequest>) -> Vec<pb::ApplyDirectoryResponse> {
    let calls = by(app, &service("provisioner"));
    let mut stream = calls
        .accounts()
        .apply_directory(tokio_stream::iter(records))
        .await
        .expect("a stream of results")
        .into_inner();
    let mut answers = Vec::new();
    while let Some(answer) = stream.message().await.expect("a result") {
        answers.push(answer);
    }
    answers
}

/// A member, of whom only the token speaks: what it may do is in the directory.
pub fn who(account: &str, id: &str) -> Caller {
    let side = if account == AWS { Side::Aws } else { Side::Partner };
    member(id, account, side, &[])
}

pub fn by(app: &App, caller: &Caller) -> Calls {
    Calls(app.by(caller))
}

/// The calls of a company's alliance lead.
pub fn lead(app: &App, account: &str) -> Calls {
    let id = match account {
        ALDER => "alder-lead",
        BIRCH => "birch-lead",
        _ => "cedar-lead",
    };
    by(app, &who(account, id))
}

pub fn request_id() -> String {
    random::uuid(Clock::system().now()).to_string()
}

pub async fn account(calls: &mut Calls) -> pb::Account {
    let request = pb::GetAccountRequest::default();
    let answer = calls.accounts().get_account(request).await.expect("an account");
    answer.into_inner().account.expect("an account")
}

pub async fn profile_id(app: &App, account: &str) -> String {
    let own = self::account(&mut lead(app, account)).await;
    own.profile.expect("a profile").profile_id
}

pub fn invite(receiver: &str, kind: pb::ConnectionType) -> pb::CreateConnectionInvitationRequest {
    pb::CreateConnectionInvitationRequest {
        r#type: kind.into(),
        receiver_id: receiver.to_owned(),
        inviter_name: "Jane Roe".to_owned(),
        inviter_email: "jane@alder.example".to_owned(),
        message: "Let us work together".to_owned(),
        ..Default::default()
    }
}

/// An invitation of one company to another.
pub async fn invited(app: &App, from: &str, to: &str) -> pb::ConnectionInvitation {
    let receiver = profile_id(app, to).await;
    let request = invite(&receiver, pb::ConnectionType::OpportunityCollaboration);
    let answer = lead(app, from)
        .connections()
        .create_connection_invitation(request)
        .await;
    let answer = answer.expect("an invitation").into_inner();
    answer.connection_invitation.expect("an invitation")
}

pub fn accepting(id: &str) -> pb::AcceptConnectionInvitationRequest {
    pb::AcceptConnectionInvitationRequest {
        connection_invitation_id: id.to_owned(),
        ..Default::default()
    }
}

/// Two companies, connected; the connection as the first sees it.
pub async fn connected(app: &App, from: &str, to: &str) -> pb::Connection {
    let invitation = invited(app, from, to).await;
    let accepting = accepting(&invitation.connection_invitation_id);
    let answer = lead(app, to)
        .connections()
        .accept_connection_invitation(accepting)
        .await;
    let connection = answer
        .expect("a connection")
        .into_inner()
        .connection
        .expect("a connection");
    let request = pb::GetConnectionRequest {
        connection_id: connection.connection_id,
    };
    let answer = lead(app, from)
        .connections()
        .get_connection(request)
        .await
        .expect("a connection");
    answer.into_inner().connection.expect("a connection")
}

/// The public events of the journal, as subjects, in their order.
pub async fn subjects(app: &App, after: i64) -> Vec<String> {
    let mut admin = app.database.admin::<Partners>().await;
    sqlx::query_scalar("SELECT subject FROM event_journal WHERE seq > $1 ORDER BY seq")
        .bind(after)
        .fetch_all(&mut admin)
        .await
        .expect("events")
}

/// The last event of the journal.
pub async fn last_event(app: &App) -> i64 {
    let mut admin = app.database.admin::<Partners>().await;
    sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM event_journal")
        .fetch_one(&mut admin)
        .await
        .expect("a number")
}

/// What most connections are for.
pub const SHARING: pb::ConnectionType = pb::ConnectionType::OpportunityCollaboration;

pub fn rejecting(id: &str, reason: &str) -> pb::RejectConnectionInvitationRequest {
    pb::RejectConnectionInvitationRequest {
        connection_invitation_id: id.to_owned(),
        reason: reason.to_owned(),
        ..Default::default()
    }
}

pub fn canceling(id: &str) -> pb::CancelConnectionInvitationRequest {
    pb::CancelConnectionInvitationRequest {
        connection_invitation_id: id.to_owned(),
        ..Default::default()
    }
}

/// Ends all connections of Alder.
pub async fn end_all(app: &App) {
    let request = pb::ListConnectionsRequest::default();
    let list = lead(app, ALDER)
        .connections()
        .list_connections(request)
        .await
        .expect("a list")
        .into_inner();
    for connection in list.connections {
        if connection.status() == pb::ConnectionStatus::Active {
            let canceling = pb::CancelConnectionRequest {
                connection_id: connection.connection_id,
                r#type: SHARING.into(),
                reason: "over".to_owned(),
                ..Default::default()
            };
            lead(app, ALDER)
                .connections()
                .cancel_connection(canceling)
                .await
                .expect("an end");
        }
    }
}

pub async fn count(app: &App, sql: &'static str) -> i64 {
    let mut admin = app.database.admin::<Partners>().await;
    let count = sqlx::query_scalar(sql).fetch_one(&mut admin).await;
    count.expect("a number")
}
