//! Test fixtures: a running service whose directory holds three partner accounts and AWS, and builders of requests and
//! records.

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

/// Clients of one caller for every gRPC service of the partner connection service.
#[derive(Clone)]
pub struct Clients(InterceptedService<Channel, Client>);

impl Clients {
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

/// The service without a bus, with a provisioned directory and its clock fixed at 2 March 2026.
pub async fn start() -> App {
    start_with(Options::default()).await
}

pub async fn start_with(options: Options) -> App {
    let app = Setup::default().start::<Partners>(options).await;
    provision(&app).await;
    app
}

/// Provisions three partner accounts, AWS, and their members. Cedar has no profile.
pub async fn provision(app: &App) {
    let mut records = Vec::new();
    for (account, name) in [(ALDER, "Alder"), (BIRCH, "Birch"), (CEDAR, "Cedar")] {
        let mut record = account_record(account, name);
        if account == CEDAR {
            record.profile = None;
        }
        records.push(account_request(record));
        for (role, title) in [
            (Role::AllianceLead, "lead"),
            (Role::AllianceTeam, "team"),
            (Role::AceManager, "manager"),
            (Role::AceUser, "user"),
            (Role::CloudAdmin, "admin"),
            (Role::StandardUser, "standard"),
        ] {
            let id = format!("{}-{title}", name.to_lowercase());
            records.push(member_request(member_record(account, &id, &[role])));
        }
    }
    let mut aws = account_record(AWS, "AWS");
    aws.side = pb::Side::Aws.into();
    aws.profile = None;
    records.push(account_request(aws));
    records.push(member_request(member_record(AWS, "aws-pdm", &[Role::Pdm])));
    let responses = apply(app, records).await;
    for response in responses {
        assert_eq!(
            response.result(),
            pb::ApplyResult::Created,
            "{:?}",
            response.error
        );
    }
}

pub fn account_request(record: pb::AccountRecord) -> pb::ApplyDirectoryRequest {
    pb::ApplyDirectoryRequest {
        record: Some(request::Record::Account(record)),
        ..Default::default()
    }
}

pub fn member_request(record: pb::MemberRecord) -> pb::ApplyDirectoryRequest {
    pb::ApplyDirectoryRequest {
        record: Some(request::Record::Member(record)),
        ..Default::default()
    }
}

pub fn account_record(account: &str, name: &str) -> pb::AccountRecord {
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

pub fn member_record(account: &str, id: &str, roles: &[Role]) -> pb::MemberRecord {
    pb::MemberRecord {
        account_id: account.to_owned(),
        member_id: id.to_owned(),
        person: Some(person(id)),
        roles: roles.iter().map(|role| role.number()).collect(),
        ..Default::default()
    }
}

pub fn person(id: &str) -> pb::Person {
    pb::Person {
        first_name: "First".to_owned(),
        last_name: "Last".to_owned(),
        email: format!("{id}@partners.example"),
        ..Default::default()
    }
}

/// Applies records in order, and returns their results.
pub async fn apply(app: &App, records: Vec<pb::ApplyDirectoryRequest>) -> Vec<pb::ApplyDirectoryResponse> {
    let clients = clients(app, &service("provisioner"));
    let mut stream = clients
        .accounts()
        .apply_directory(tokio_stream::iter(records))
        .await
        .expect("a stream of results")
        .into_inner();
    let mut responses = Vec::new();
    while let Some(response) = stream.message().await.expect("a result") {
        responses.push(response);
    }
    responses
}

/// A member's token without roles; the service reads the roles from its directory.
pub fn caller(account: &str, id: &str) -> Caller {
    let side = if account == AWS { Side::Aws } else { Side::Partner };
    member(id, account, side, &[])
}

pub fn clients(app: &App, caller: &Caller) -> Clients {
    Clients(app.channel_for(caller))
}

/// Clients of an account's alliance lead.
pub fn alliance_lead(app: &App, account: &str) -> Clients {
    let id = match account {
        ALDER => "alder-lead",
        BIRCH => "birch-lead",
        _ => "cedar-lead",
    };
    clients(app, &caller(account, id))
}

pub fn request_id() -> String {
    random::uuid(Clock::system().now()).to_string()
}

pub async fn get_account(clients: &mut Clients) -> pb::Account {
    let request = pb::GetAccountRequest::default();
    let response = clients.accounts().get_account(request).await.expect("an account");
    response.into_inner().account.expect("an account")
}

pub async fn get_profile_id(app: &App, account: &str) -> String {
    let account = self::get_account(&mut alliance_lead(app, account)).await;
    account.profile.expect("a profile").profile_id
}

pub fn invitation_request(receiver: &str, kind: pb::ConnectionType) -> pb::CreateConnectionInvitationRequest {
    pb::CreateConnectionInvitationRequest {
        r#type: kind.into(),
        receiver_id: receiver.to_owned(),
        inviter_name: "Jane Roe".to_owned(),
        inviter_email: "jane@alder.example".to_owned(),
        message: "Let us work together".to_owned(),
        ..Default::default()
    }
}

/// Sends an invitation from one account to another.
pub async fn create_invitation(app: &App, from: &str, to: &str) -> pb::ConnectionInvitation {
    let receiver = get_profile_id(app, to).await;
    let request = invitation_request(&receiver, pb::ConnectionType::OpportunityCollaboration);
    let response = alliance_lead(app, from)
        .connections()
        .create_connection_invitation(request)
        .await;
    let response = response.expect("an invitation").into_inner();
    response.connection_invitation.expect("an invitation")
}

pub fn accept_request(id: &str) -> pb::AcceptConnectionInvitationRequest {
    pb::AcceptConnectionInvitationRequest {
        connection_invitation_id: id.to_owned(),
        ..Default::default()
    }
}

/// Connects two accounts, and returns the connection as the sender sees it.
pub async fn create_connection(app: &App, from: &str, to: &str) -> pb::Connection {
    let invitation = create_invitation(app, from, to).await;
    let acceptance = accept_request(&invitation.connection_invitation_id);
    let response = alliance_lead(app, to)
        .connections()
        .accept_connection_invitation(acceptance)
        .await;
    let connection = response
        .expect("a connection")
        .into_inner()
        .connection
        .expect("a connection");
    let request = pb::GetConnectionRequest {
        connection_id: connection.connection_id,
    };
    let response = alliance_lead(app, from)
        .connections()
        .get_connection(request)
        .await
        .expect("a connection");
    response.into_inner().connection.expect("a connection")
}

/// The subjects of events in the journal after a sequence number, in order.
pub async fn event_subjects(app: &App, after: i64) -> Vec<String> {
    let mut admin = app.database.admin::<Partners>().await;
    sqlx::query_scalar("SELECT subject FROM event_journal WHERE seq > $1 ORDER BY seq")
        .bind(after)
        .fetch_all(&mut admin)
        .await
        .expect("events")
}

/// The sequence number of the last event in the journal.
pub async fn last_event_seq(app: &App) -> i64 {
    let mut admin = app.database.admin::<Partners>().await;
    sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM event_journal")
        .fetch_one(&mut admin)
        .await
        .expect("a number")
}

/// The type of most connections in these tests.
pub const SHARING: pb::ConnectionType = pb::ConnectionType::OpportunityCollaboration;

pub fn reject_request(id: &str, reason: &str) -> pb::RejectConnectionInvitationRequest {
    pb::RejectConnectionInvitationRequest {
        connection_invitation_id: id.to_owned(),
        reason: reason.to_owned(),
        ..Default::default()
    }
}

pub fn cancel_request(id: &str) -> pb::CancelConnectionInvitationRequest {
    pb::CancelConnectionInvitationRequest {
        connection_invitation_id: id.to_owned(),
        ..Default::default()
    }
}

/// Cancels all active connections of Alder.
pub async fn cancel_all_connections(app: &App) {
    let request = pb::ListConnectionsRequest::default();
    let list = alliance_lead(app, ALDER)
        .connections()
        .list_connections(request)
        .await
        .expect("a list")
        .into_inner();
    for connection in list.connections {
        if connection.status() == pb::ConnectionStatus::Active {
            let cancellation = pb::CancelConnectionRequest {
                connection_id: connection.connection_id,
                r#type: SHARING.into(),
                reason: "over".to_owned(),
                ..Default::default()
            };
            alliance_lead(app, ALDER)
                .connections()
                .cancel_connection(cancellation)
                .await
                .expect("a cancellation");
        }
    }
}

pub async fn count(app: &App, sql: &'static str) -> i64 {
    let mut admin = app.database.admin::<Partners>().await;
    let count = sqlx::query_scalar(sql).fetch_one(&mut admin).await;
    count.expect("a number")
}
