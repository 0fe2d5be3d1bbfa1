//! A running service with members, beside a stand-in of the opportunity service and a mail server.

use cosell_notification::{Notifications, Options, SmtpSecurity};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::notification::v1::notification_service_client::NotificationServiceClient;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_testkit::harness::{
    App, Client, FarEnd, Setup, aws, channels, eventually, member, opportunities, partner,
};
use cosell_testkit::smtp::Sink;
use cosell_types::{Caller, Clock, ClosedList as _, Role, Side, random};
use tonic::Code;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

pub type Calls = NotificationServiceClient<InterceptedService<Channel, Client>>;

pub const ALDER: &str = "111111111111";
pub const BIRCH: &str = "222222222222";
pub const AWS: &str = "999999999999";

/// A service, the bus as other contexts see it, and where its mail goes.
pub struct Stage {
    pub app: App,
    pub far: FarEnd,
    pub smtp: Sink,
}

/// Everybody who can be told: the lead of each partner, three others of Alder, two reviewers, one who sells, an account owner.
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

pub async fn start() -> Stage {
    start_with(|id, revision| Ok(record(id, revision))).await
}

pub async fn start_with<F>(answer: F) -> Stage
where
    F: Fn(&str, i64) -> Result<opportunity::Opportunity, Code> + Send + Sync + 'static,
{
    let smtp = Sink::start("127.0.0.1:0", None).expect("a mail server");
    start_at(smtp.address().port(), answer, smtp).await
}

/// With a mail server at a port, and what stands there or not.
pub async fn start_at<F>(port: u16, answer: F, smtp: Sink) -> Stage
where
    F: Fn(&str, i64) -> Result<opportunity::Opportunity, Code> + Send + Sync + 'static,
{
    let options = Options {
        opportunity_url: opportunities(answer).await,
        collaboration_url: channels().await,
        smtp_host: "127.0.0.1".to_owned(),
        smtp_port: port,
        smtp_security: SmtpSecurity::None,
        smtp_user: None,
        smtp_password_file: None,
        mail_from: "cosell <no-reply@cosell.example>".to_owned(),
    };
    let app = Setup::default().with_bus().start::<Notifications>(options).await;
    let far = FarEnd::new(&app.bus_args.nats_url).await;
    enrol(&app, &far).await;
    Stage { app, far, smtp }
}

/// Tells the service of all members, as the directory does.
async fn enrol(app: &App, far: &FarEnd) {
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
        far.tell("partner", account, account, 1, &registered).await;
    }
    for (account, side, id, role) in MEMBERS {
        app.directory.admit(&member(id, account, side, &[role]));
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
        far.tell("partner", account, id, 1, &joined).await;
    }
    eventually(async || {
        let sql = "SELECT count(*) FROM contact c JOIN directory_member m USING (account_id, member_id)";
        match count(app, sql).await {
            9 => Ok(()),
            seen => Err(format!("{seen} of 9 members were taken over")),
        }
    })
    .await;
}

/// Mem-user's record, created by mem-marketing.
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

pub fn user() -> Caller {
    partner("mem-user", ALDER, Role::AceUser)
}

pub fn lead() -> Caller {
    partner("mem-lead", ALDER, Role::AllianceLead)
}

pub fn marketing() -> Caller {
    partner("mem-marketing", ALDER, Role::MarketingStaff)
}

pub fn stranger() -> Caller {
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

impl Stage {
    pub fn by(&self, caller: &Caller) -> Calls {
        NotificationServiceClient::new(self.app.by(caller))
    }

    /// Approves the record of Alder, as its first event, and waits until mem-user was told.
    pub async fn approve(&self, id: &str) {
        self.far.tell("opportunity", ALDER, id, 1, &approved(id)).await;
        self.told(&user(), id).await;
    }

    /// A member's notification of a record, once it is there.
    pub async fn told(&self, caller: &Caller, id: &str) -> pb::Notification {
        eventually(async || {
            let inbox = self.inbox(caller).await;
            let found = inbox.into_iter().find(|entry| entry.opportunity_id == id);
            found.ok_or_else(|| format!("no notification of {id}"))
        })
        .await
    }

    /// A member's inbox.
    pub async fn inbox(&self, caller: &Caller) -> Vec<pb::Notification> {
        let request = pb::ListNotificationsRequest {
            page_size: 100,
            ..Default::default()
        };
        let answer = self
            .by(caller)
            .list_notifications(request)
            .await
            .expect("an inbox");
        answer.into_inner().notifications
    }

    /// The recipients of all mail so far, sorted, once there are this many; nothing is left in the queue then.
    pub async fn recipients(&self, expected: usize) -> Vec<String> {
        eventually(async || {
            let queued = count(&self.app, "SELECT count(*) FROM mail WHERE state = 'QUEUED'").await;
            match self.smtp.mails().len() {
                seen if seen == expected && queued == 0 => Ok(()),
                seen => Err(format!("{seen} of {expected} e-mails came, {queued} are queued")),
            }
        })
        .await;
        let mut to: Vec<_> = self.smtp.mails().into_iter().flat_map(|mail| mail.to).collect();
        to.sort();
        to
    }
}
