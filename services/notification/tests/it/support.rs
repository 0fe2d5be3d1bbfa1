//! Test fixtures: a running notification service with nine members, fake opportunity and collaboration services, and a
//! mail server that records e-mails.

use cosell_notification::{Notifications, Options, SmtpSecurity};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::notification::v1::notification_service_client::NotificationServiceClient;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_testkit::harness::{
    App, Client, PeerStub, Setup, aws, channels, eventually, member, opportunities, partner,
};
use cosell_testkit::smtp::Sink;
use cosell_types::{Caller, Clock, ClosedList as _, Role, Side, random};
use tonic::Code;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

pub type NotificationClient = NotificationServiceClient<InterceptedService<Channel, Client>>;

pub const ALDER: &str = "111111111111";
pub const BIRCH: &str = "222222222222";
pub const AWS: &str = "999999999999";

/// A running service, a peer that publishes events, and the mail server.
pub struct Scenario {
    pub app: App,
    pub peer: PeerStub,
    pub smtp: Sink,
}

/// All possible recipients: the alliance lead of each partner, three other members of Alder, two reviewers, a sales
/// representative, and an account owner.
const MEMBERS: [(&str, Side, &str, Role); 9] = [
    (ALDER, Side::Partner, "mem-lead", Role::AllianceLead),
    (ALDER, Side::Partner, "mem-user", Role::AceUser),
    (ALDER, Side::Partner, "mem-second", Role::AceUser),
    (ALDER, Side::Partner, "mem-marketing", Role::MarketingStaff),
    (BIRCH, Side::Partner, "mem-birch", Role::AllianceLead),
    (AWS, Side::Aws, "mem-tara", Role::Reviewer),
    (AWS, Side::Aws, "mem-umar", Role::Reviewer),
    (AWS, Side::Aws, "mem-vera", Role::SalesRepresentative),
    (AWS, Side::Aws, "mem-owner", Role::AccountOwner),
];

/// The address of a member.
pub fn address(member: &str) -> String {
    format!("{member}@example.com")
}

pub async fn start() -> Scenario {
    start_with(|id, revision| Ok(record(id, revision))).await
}

pub async fn start_with<F>(lookup: F) -> Scenario
where
    F: Fn(&str, i64) -> Result<opportunity::Opportunity, Code> + Send + Sync + 'static,
{
    let smtp = Sink::start("127.0.0.1:0", None).expect("a mail server");
    start_at(smtp.address().port(), lookup, smtp).await
}

/// Starts the service with the given SMTP port, at which a mail server may or may not listen.
pub async fn start_at<F>(port: u16, lookup: F, smtp: Sink) -> Scenario
where
    F: Fn(&str, i64) -> Result<opportunity::Opportunity, Code> + Send + Sync + 'static,
{
    let options = Options {
        opportunity_url: opportunities(lookup).await,
        collaboration_url: channels().await,
        smtp_host: "127.0.0.1".to_owned(),
        smtp_port: port,
        smtp_security: SmtpSecurity::None,
        smtp_user: None,
        smtp_password_file: None,
        mail_from: "cosell <no-reply@cosell.example>".to_owned(),
    };
    let app = Setup::default().with_bus().start::<Notifications>(options).await;
    let peer = PeerStub::new(&app.bus_args.nats_url).await;
    publish_members(&app, &peer).await;
    Scenario { app, peer, smtp }
}

/// Publishes all accounts and members as the directory does, and waits until the service has applied them.
async fn publish_members(app: &App, peer: &PeerStub) {
    for (account, side) in [(ALDER, Side::Partner), (BIRCH, Side::Partner), (AWS, Side::Aws)] {
        let registered = directory::AccountRegistered {
            detail: Some(directory::AccountEventDetail {
                account_id: account.to_owned(),
                revision: 1,
                side: side.number(),
                status: directory::AccountStatus::Active.into(),
                terms_accepted: true,
                ..Default::default()
            }),
        };
        peer.publish_event("partner", account, account, 1, &registered)
            .await;
    }
    for (account, side, id, role) in MEMBERS {
        app.directory.add_member(&member(id, account, side, &[role]));
        let joined = directory::MemberJoined {
            detail: Some(directory::MemberEventDetail {
                member_id: id.to_owned(),
                account_id: account.to_owned(),
                revision: 1,
                side: side.number(),
                status: directory::MemberStatus::Active.into(),
                roles: vec![role.number()],
            }),
        };
        peer.publish_event("partner", account, id, 1, &joined).await;
    }
    eventually(async || {
        let sql = "SELECT count(*) FROM contact c JOIN directory_member m USING (account_id, member_id)";
        match count(app, sql).await {
            9 => Ok(()),
            count => Err(format!("{count} of 9 members were applied")),
        }
    })
    .await;
}

/// A record that mem-user owns and mem-marketing created.
pub fn record(id: &str, revision: i64) -> opportunity::Opportunity {
    opportunity::Opportunity {
        opportunity_id: id.to_owned(),
        revision,
        owner_member_id: "mem-user".to_owned(),
        created_by: "mem-marketing".to_owned(),
        submitted_by: "mem-user".to_owned(),
        customer: Some(opportunity::Customer {
            account: Some(opportunity::Account {
                company_name: format!("Customer of {id}"),
                ..Default::default()
            }),
            contacts: Vec::new(),
        }),
        project: Some(opportunity::Project {
            title: "Data platform".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn approved(id: &str) -> opportunity::OpportunityApproved {
    opportunity::OpportunityApproved {
        opportunity_id: id.to_owned(),
        account_id: ALDER.to_owned(),
        revision: 1,
        round: 1,
    }
}

pub fn ace_user() -> Caller {
    partner("mem-user", ALDER, Role::AceUser)
}

pub fn alliance_lead() -> Caller {
    partner("mem-lead", ALDER, Role::AllianceLead)
}

pub fn marketing_staff() -> Caller {
    partner("mem-marketing", ALDER, Role::MarketingStaff)
}

pub fn other_account_lead() -> Caller {
    partner("mem-birch", BIRCH, Role::AllianceLead)
}

pub fn tara() -> Caller {
    aws("mem-tara", Role::Reviewer)
}

pub fn vera() -> Caller {
    aws("mem-vera", Role::SalesRepresentative)
}

pub fn request_id() -> String {
    random::uuid(Clock::system().now()).to_string()
}

pub async fn count(app: &App, sql: &'static str) -> i64 {
    let mut admin = app.database.admin::<Notifications>().await;
    sqlx::query_scalar(sql)
        .fetch_one(&mut admin)
        .await
        .expect("a count")
}

impl Scenario {
    pub fn client(&self, caller: &Caller) -> NotificationClient {
        NotificationServiceClient::new(self.app.channel_for(caller))
    }

    /// Publishes the approval of a record of Alder as its first event, and waits for mem-user's notification.
    pub async fn approve(&self, id: &str) {
        self.peer
            .publish_event("opportunity", ALDER, id, 1, &approved(id))
            .await;
        self.wait_for_notification(&ace_user(), id).await;
    }

    /// Waits for a member's notification about a record.
    pub async fn wait_for_notification(&self, caller: &Caller, id: &str) -> pb::Notification {
        eventually(async || {
            let inbox = self.inbox(caller).await;
            let notification = inbox.into_iter().find(|entry| entry.opportunity_id == id);
            notification.ok_or_else(|| format!("no notification about {id}"))
        })
        .await
    }

    /// A member's inbox.
    pub async fn inbox(&self, caller: &Caller) -> Vec<pb::Notification> {
        let request = pb::ListNotificationsRequest {
            page_size: 100,
            ..Default::default()
        };
        let response = self
            .client(caller)
            .list_notifications(request)
            .await
            .expect("an inbox");
        response.into_inner().notifications
    }

    /// Waits until the expected number of e-mails was sent and the queue is empty, and returns the sorted recipients.
    pub async fn recipients(&self, expected: usize) -> Vec<String> {
        eventually(async || {
            let queued = count(&self.app, "SELECT count(*) FROM mail WHERE state = 'QUEUED'").await;
            match self.smtp.mails().len() {
                sent if sent == expected && queued == 0 => Ok(()),
                sent => Err(format!(
                    "{sent} of {expected} e-mails were sent, {queued} are queued"
                )),
            }
        })
        .await;
        let mut recipients: Vec<_> = self.smtp.mails().into_iter().flat_map(|mail| mail.to).collect();
        recipients.sort();
        recipients
    }
}
