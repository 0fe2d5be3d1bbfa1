//! Fixtures of the tests of links to opt out of e-mails: a service with links, the links in received e-mails, and a
//! client over HTTP (NOT-008).

use cosell_notification::UnsubscribeArgs;
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::partner::v1 as directory;
use cosell_testkit::harness::{HttpResponse, eventually, folder, send_http};
use cosell_testkit::smtp::Mail;
use cosell_types::{Caller, ClosedList as _, Role};
use http::Method;
use pb::NotificationKind as Kind;

use crate::support::{ALDER, Fixture, Scenario, address, count, record, start_as};

pub const ONE_CLICK: &str = "List-Unsubscribe=One-Click";
pub const FORM: &str = "application/x-www-form-urlencoded";

pub async fn get(url: &str) -> HttpResponse {
    send_http(Method::GET, url, FORM, "").await
}

/// The request of mail programs and of the button.
pub async fn post(url: &str) -> HttpResponse {
    send_http(Method::POST, url, FORM, ONE_CLICK).await
}

/// A service with links to opt out, and mem-user and another person as sales contacts of every opportunity.
pub async fn start_with_links() -> Scenario {
    let key = folder("unsubscribe").join("key");
    std::fs::write(&key, [7; 32]).expect("a key");
    let mut unsubscribe = UnsubscribeArgs {
        unsubscribe_key_file: Some(key),
        ..UnsubscribeArgs::default()
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = unsubscribe.listen_on(listener).expect("an address");
    unsubscribe.unsubscribe_base = format!("http://{listen}/");
    let contact = |email: String| opportunity::Contact {
        email,
        business_title: "PartnerAccountManager".to_owned(),
        ..Default::default()
    };
    start_as(Fixture {
        opportunity: Box::new(move |id, revision| {
            Ok(opportunity::Opportunity {
                opportunity_team: vec![
                    contact(address("mem-user")),
                    contact("sales@alder.example".to_owned()),
                ],
                ..record(id, revision)
            })
        }),
        unsubscribe,
        ..Fixture::default()
    })
    .await
}

/// The value of a header as it was sent, unfolded.
pub fn header(mail: &Mail, name: &str) -> Option<String> {
    let text = String::from_utf8(mail.data.clone()).expect("text");
    let (headers, _) = text.split_once("\r\n\r\n").expect("a header and a body");
    let headers = headers.replace("\r\n ", " ");
    let start = format!("{name}: ");
    let mut values = headers
        .lines()
        .filter_map(|line| line.strip_prefix(start.as_str()));
    values.next().map(str::to_owned)
}

/// The link in the headers of an e-mail.
pub fn link(mail: &Mail) -> String {
    assert_eq!(header(mail, "List-Unsubscribe-Post").as_deref(), Some(ONE_CLICK));
    let value = header(mail, "List-Unsubscribe").expect("a link");
    let url = value.strip_prefix('<').and_then(|value| value.strip_suffix('>'));
    url.expect("a URL in angle brackets").to_owned()
}

impl Scenario {
    /// Waits for an e-mail to this address with this in its subject, as it was sent.
    pub async fn mail(&self, to: &str, subject: &str) -> Mail {
        eventually(async || {
            let mut mails = self.smtp.mails().into_iter().filter(|mail| mail.to == [to]);
            let mail = mails.find(|mail| mail.subject().contains(subject));
            mail.ok_or_else(|| format!("no e-mail to {to} with the subject {subject}"))
        })
        .await
    }

    /// The link of a member for OPPORTUNITY_APPROVED.
    pub async fn approval_link(&self, member: &str) -> String {
        link(&self.mail(&address(member), "Approved").await)
    }

    pub async fn preferences(&self, caller: &Caller) -> (Vec<Kind>, String) {
        let response = self
            .client(caller)
            .get_notification_preferences(pb::GetNotificationPreferencesRequest {})
            .await;
        let preferences = response
            .expect("preferences")
            .into_inner()
            .notification_preferences;
        let preferences = preferences.expect("preferences");
        (preferences.email_opt_outs().collect(), preferences.etag)
    }

    /// Publishes an event of mem-user with this revision, status and role.
    pub async fn publish_member(&self, revision: i64, status: directory::MemberStatus, role: Role) {
        let detail = Some(directory::MemberEventDetail {
            member_id: "mem-user".to_owned(),
            account_id: ALDER.to_owned(),
            revision,
            side: directory::Side::Partner.into(),
            status: status.into(),
            roles: vec![role.number()],
            sees_all_opportunities: false,
        });
        let (peer, id) = (&self.peer, "mem-user");
        if status == directory::MemberStatus::Active {
            let event = directory::MemberRolesChanged { detail };
            peer.publish_event("partner", ALDER, id, revision, &event).await;
        } else {
            let event = directory::MemberDeactivated { detail };
            peer.publish_event("partner", ALDER, id, revision, &event).await;
        }
    }

    /// Waits until a statement of the service waits for a lock of the test.
    pub async fn wait_for_blocked_statement(&self) {
        eventually(async || {
            let sql = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
            match count(&self.app, sql).await {
                0 => Err("no statement waits".to_owned()),
                _ => Ok(()),
            }
        })
        .await;
    }
}

pub fn assert_safe_page(response: &HttpResponse) {
    let header = |name: &str| response.headers.get(name).and_then(|value| value.to_str().ok());
    assert_eq!(header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("referrer-policy"), Some("no-referrer"));
    assert_eq!(header("x-content-type-options"), Some("nosniff"));
    let policy = header("content-security-policy").expect("a policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(
        policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    let html = response.body.to_lowercase();
    assert!(
        html.starts_with("<!doctype html>") && html.contains("<h1>"),
        "{html}"
    );
    for part in [
        "<script", "http://", "https://", "mem-user", "@", "approved", ALDER,
    ] {
        assert!(!html.contains(part), "{part}: {html}");
    }
}
