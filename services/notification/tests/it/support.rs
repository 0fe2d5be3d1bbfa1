//! Test fixtures: a running notification service with ten members, stubs of its peers, and a mail server that records
//! e-mails.

use std::sync::{Arc, Mutex};

use cosell_notification::{Notifications, Options, SmtpSecurity, UnsubscribeArgs};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::notification::v1::notification_service_client::NotificationServiceClient;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_testkit::harness::{
    App, Client, PeerStub, ReferralRecord, Setup, aws, channels, eventually, member,
    opportunities_with_summary, partner, referral_records,
};
use cosell_testkit::smtp::Sink;
use cosell_types::{Caller, Clock, ClosedList as _, Role, Side, random};
use tonic::Code;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use crate::email::{Email, LINK_BASE};

pub type NotificationClient = NotificationServiceClient<InterceptedService<Channel, Client>>;

pub const ALDER: &str = "111111111111";
pub const BIRCH: &str = "222222222222";
pub const AWS: &str = "999999999999";

/// The customer of every opportunity of the stub.
pub const CUSTOMER: &str = "Nordwind GmbH";
/// The name of every opportunity of the stub in a subject line.
pub const PROJECT: &str = "Data platform (Nordwind GmbH)";
/// The lines of a body that name every opportunity of the stub.
pub const PROJECT_LINES: &str = "Customer: Nordwind GmbH\nProject:  Data platform\n";

/// A running service, a peer that publishes events, and the mail server.
pub struct Scenario {
    pub app: App,
    pub peer: PeerStub,
    pub smtp: Sink,
    /// The AWS summary of every opportunity of the stub.
    pub aws_summary: Arc<Mutex<opportunity::AwsOpportunitySummary>>,
}

/// The answer of the opportunity stub for an id and a revision; revision 0 is the current one, as its account sees it.
pub type OpportunityLookup = dyn Fn(&str, i64) -> Result<opportunity::Opportunity, Code> + Send + Sync;
/// The answer of the referral stub for an account and an id.
pub type ReferralLookup = dyn Fn(&str, &str) -> Result<ReferralRecord, Code> + Send + Sync;

/// What the service is started with.
pub struct Fixture {
    pub opportunity: Box<OpportunityLookup>,
    pub referral: Box<ReferralLookup>,
    pub link_base: &'static str,
    /// The port of the mail server if it does not listen yet.
    pub smtp_port: Option<u16>,
    pub unsubscribe: UnsubscribeArgs,
}

impl Default for Fixture {
    fn default() -> Self {
        Self {
            opportunity: Box::new(|id, revision| Ok(record(id, revision))),
            referral: Box::new(|_, _| Err(Code::NotFound)),
            link_base: LINK_BASE,
            smtp_port: None,
            unsubscribe: UnsubscribeArgs::default(),
        }
    }
}

/// All possible recipients, with first and last name: the alliance lead of each partner, three other members of Alder,
/// two reviewers, a sales representative, and two account owners.
const MEMBERS: [(&str, Side, &str, Role, &str, &str); 10] = [
    (
        ALDER,
        Side::Partner,
        "mem-lead",
        Role::AllianceLead,
        "Ada",
        "Lovelace",
    ),
    (ALDER, Side::Partner, "mem-user", Role::AceUser, "Grace", "Hopper"),
    (
        ALDER,
        Side::Partner,
        "mem-second",
        Role::AceUser,
        "Mary",
        "Jackson",
    ),
    (
        ALDER,
        Side::Partner,
        "mem-marketing",
        Role::MarketingStaff,
        "Edith",
        "Clarke",
    ),
    (
        BIRCH,
        Side::Partner,
        "mem-birch",
        Role::AllianceLead,
        "Jane",
        "Roe",
    ),
    (AWS, Side::Aws, "mem-tara", Role::Reviewer, "Tara", "Nguyen"),
    (AWS, Side::Aws, "mem-umar", Role::Reviewer, "Umar", "Khan"),
    (
        AWS,
        Side::Aws,
        "mem-vera",
        Role::SalesRepresentative,
        "Vera",
        "Stone",
    ),
    (AWS, Side::Aws, "mem-owner", Role::AccountOwner, "Olga", "Orlova"),
    (AWS, Side::Aws, "mem-olaf", Role::AccountOwner, "Olaf", "Berg"),
];

/// The address of a member.
pub fn address(member: &str) -> String {
    format!("{member}@example.com")
}

pub async fn start() -> Scenario {
    start_as(Fixture::default()).await
}

pub async fn start_with<F>(lookup: F) -> Scenario
where
    F: Fn(&str, i64) -> Result<opportunity::Opportunity, Code> + Send + Sync + 'static,
{
    let opportunity = Box::new(lookup);
    start_as(Fixture {
        opportunity,
        ..Fixture::default()
    })
    .await
}

pub async fn start_as(fixture: Fixture) -> Scenario {
    let smtp = Sink::start("127.0.0.1:0", None).expect("a mail server");
    let aws_summary = Arc::default();
    let options = Options {
        opportunity_url: opportunities_with_summary(fixture.opportunity, Arc::clone(&aws_summary)).await,
        referral_url: referral_records(fixture.referral).await,
        collaboration_url: channels().await,
        link_base: fixture.link_base.to_owned(),
        smtp_host: "127.0.0.1".to_owned(),
        smtp_port: fixture.smtp_port.unwrap_or_else(|| smtp.address().port()),
        smtp_security: SmtpSecurity::None,
        smtp_user: None,
        smtp_password_file: None,
        mail_from: "cosell <no-reply@cosell.example>".to_owned(),
        unsubscribe: fixture.unsubscribe,
    };
    let app = Setup::default().with_bus().start::<Notifications>(options).await;
    let peer = PeerStub::new(&app.bus_args.nats_url).await;
    publish_members(&app, &peer).await;
    Scenario {
        app,
        peer,
        smtp,
        aws_summary,
    }
}

/// Publishes all accounts and members as the directory does, and waits until the service has applied them.
async fn publish_members(app: &App, peer: &PeerStub) {
    for (account, side, name) in [
        (ALDER, Side::Partner, "Alder"),
        (BIRCH, Side::Partner, "Birch"),
        (AWS, Side::Aws, "Amazon Web Services"),
    ] {
        app.directory.name_account(account, name);
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
    for (account, side, id, role, first_name, last_name) in MEMBERS {
        app.directory.name_member(account, id, first_name, last_name);
        app.directory.add_member(&member(id, account, side, &[role]));
        let joined = directory::MemberJoined {
            detail: Some(directory::MemberEventDetail {
                member_id: id.to_owned(),
                account_id: account.to_owned(),
                revision: 1,
                side: side.number(),
                status: directory::MemberStatus::Active.into(),
                roles: vec![role.number()],
                sees_all_opportunities: false,
            }),
        };
        peer.publish_event("partner", account, id, 1, &joined).await;
    }
    eventually(async || {
        let sql = "SELECT count(*) FROM contact c JOIN directory_member m USING (account_id, member_id)";
        match count(app, sql).await {
            10 => Ok(()),
            count => Err(format!("{count} of 10 members were applied")),
        }
    })
    .await;
}

/// A record of Alder that mem-user owns and mem-marketing created, with visibility FULL.
pub fn record(id: &str, revision: i64) -> opportunity::Opportunity {
    opportunity::Opportunity {
        opportunity_id: id.to_owned(),
        account_id: ALDER.to_owned(),
        revision,
        visibility: opportunity::Visibility::Full.into(),
        owner_member_id: "mem-user".to_owned(),
        created_by: "mem-marketing".to_owned(),
        submitted_by: "mem-user".to_owned(),
        customer: Some(opportunity::Customer {
            account: Some(opportunity::Account {
                company_name: CUSTOMER.to_owned(),
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

    /// Waits for a member's notification of a kind.
    pub async fn wait_for_kind(&self, caller: &Caller, kind: pb::NotificationKind) -> pb::Notification {
        eventually(async || {
            let inbox = self.inbox(caller).await;
            let notification = inbox.into_iter().find(|entry| entry.kind() == kind);
            notification.ok_or_else(|| format!("no {kind:?}"))
        })
        .await
    }

    /// Waits until the consumer of a context has processed this number of events.
    pub async fn wait_until_processed(&self, context: &str, expected: i64) {
        let consumer = format!("notification-{context}");
        eventually(async || {
            let mut admin = self.app.database.admin::<Notifications>().await;
            let processed: i64 = sqlx::query_scalar("SELECT count(*) FROM inbox WHERE consumer = $1")
                .bind(&consumer)
                .fetch_one(&mut admin)
                .await
                .expect("a count");
            if processed == expected {
                Ok(())
            } else {
                Err(format!("{processed} of {expected} events were processed"))
            }
        })
        .await;
    }

    /// Waits for an e-mail to this address with this in its subject.
    pub async fn email(&self, to: &str, subject: &str) -> Email {
        eventually(async || {
            let mails = self.smtp.mails().into_iter();
            let mut emails = mails
                .filter(|mail| mail.to == [to])
                .map(|mail| Email::from(&mail));
            let email = emails.find(|email| email.subject.contains(subject));
            email.ok_or_else(|| format!("no e-mail to {to} with the subject {subject}"))
        })
        .await
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
