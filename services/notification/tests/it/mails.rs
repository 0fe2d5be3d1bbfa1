//! Covers the delivery of e-mails (NOT-004): retries under one message id, an unreachable mail server, permanent
//! refusals, the retry limit, and header injection.

use chrono::TimeDelta;
use cosell_notification::Notifications;
use cosell_proto::cosell::notification::v1::EmailFailed;
use cosell_testkit::harness::eventually;
use cosell_testkit::smtp::Sink;

use crate::support::{
    ALDER, Fixture, PROJECT, Scenario, ace_user, address, count, record, start, start_as, start_with,
};

async fn wait_for_refusals(scenario: &Scenario, at_least: usize) {
    eventually(async || match scenario.smtp.refused() {
        count if count >= at_least => Ok(()),
        count => Err(format!("{count} of {at_least} attempts")),
    })
    .await;
}

async fn wait_for_count(scenario: &Scenario, sql: &'static str, expected: i64) {
    eventually(async || match count(&scenario.app, sql).await {
        count if count == expected => Ok(()),
        count => Err(format!("{count}, not {expected}: {sql}")),
    })
    .await;
}

const DEFERRED: &str =
    "SELECT count(*) FROM mail WHERE state = 'QUEUED' AND attempts = 1 AND smtp_code = 451";
const FAILED: &str = "SELECT count(*) FROM mail WHERE state = 'FAILED'";

#[tokio::test]
async fn not_004_temporarily_refused_email_is_retried_with_same_message_id() {
    let scenario = start().await;
    scenario.smtp.refuse_with(451);
    scenario.approve("O7").await;
    wait_for_count(&scenario, DEFERRED, 2).await;
    assert_eq!(scenario.smtp.mails().len(), 0);

    scenario.smtp.refuse_with(0);
    scenario.app.clock.advance(TimeDelta::seconds(30));
    assert_eq!(
        scenario.recipients(2).await,
        [address("mem-marketing"), address("mem-user")]
    );
    for mail in scenario.smtp.mails() {
        let text = String::from_utf8(mail.data).expect("text");
        let subject = format!("Subject: Approved by AWS: {PROJECT}\r\n");
        assert!(text.contains(&subject), "{text}");
        assert!(
            text.contains("From: \"cosell\" <no-reply@cosell.example>\r\n")
                || text.contains("From: cosell <no-reply@cosell.example>\r\n"),
            "{text}"
        );
        assert!(text.contains("Auto-Submitted: auto-generated\r\n"), "{text}");
        let id = text
            .split("Message-ID: <mail-")
            .nth(1)
            .and_then(|rest| rest.split('@').next())
            .expect("an id");
        assert_eq!(id.len(), 13, "{text}");
        let mut admin = scenario.app.database.admin::<Notifications>().await;
        let attempts: i32 = sqlx::query_scalar("SELECT attempts FROM mail WHERE mail_id = 'mail-' || $1")
            .bind(id)
            .fetch_one(&mut admin)
            .await
            .expect("the e-mail of that id");
        assert_eq!(attempts, 2);
    }
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_004_email_is_sent_after_mail_server_becomes_reachable() {
    let unreachable = Sink::start("127.0.0.1:0", None).expect("a mail server");
    let address = unreachable.address();
    drop(unreachable);
    // Another mail server is used only after the service has failed to connect.
    let mut scenario = start_as(Fixture {
        smtp_port: Some(address.port()),
        ..Fixture::default()
    })
    .await;
    scenario.approve("O7").await;
    wait_for_count(
        &scenario,
        "SELECT count(*) FROM mail WHERE state = 'QUEUED' AND attempts = 1",
        2,
    )
    .await;
    scenario.smtp = Sink::start(&address.to_string(), None).expect("a restarted mail server");
    scenario.app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(scenario.recipients(2).await.len(), 2);
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_004_permanently_refused_email_fails_and_others_are_sent() {
    let scenario = start().await;
    scenario.smtp.refuse_with(550);
    scenario.approve("O7").await;
    wait_for_count(&scenario, FAILED, 2).await;
    scenario.smtp.refuse_with(0);
    scenario.app.clock.advance(TimeDelta::days(1));
    scenario.approve("O8").await;
    assert_eq!(
        scenario.recipients(2).await.len(),
        2,
        "a failed e-mail must not be retried"
    );
    assert_eq!(scenario.smtp.refused(), 2);

    let inbox = scenario.inbox(&ace_user()).await;
    let notification = inbox
        .iter()
        .find(|entry| entry.opportunity_id == "O7")
        .expect("a notification in the inbox");
    let failed: Vec<_> = scenario.peer.first_events("notification", 2).await;
    let failed: Vec<EmailFailed> = failed.iter().map(|event| event.message()).collect();
    let user_event = failed
        .iter()
        .find(|event| event.member_id == "mem-user")
        .expect("an event about mem-user");
    assert_eq!(user_event.account_id, ALDER);
    assert_eq!(user_event.smtp_code, 550);
    assert_eq!(user_event.notification_id, notification.notification_id);
    assert!(user_event.mail_id.starts_with("mail-"), "{user_event:?}");
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_004_email_fails_after_three_days_of_refusals() {
    let scenario = start().await;
    scenario.smtp.refuse_with(451);
    scenario.approve("O7").await;
    wait_for_count(&scenario, DEFERRED, 2).await;
    scenario
        .app
        .clock
        .advance(TimeDelta::days(3) + TimeDelta::minutes(1));
    wait_for_refusals(&scenario, 4).await;
    wait_for_count(&scenario, FAILED, 2).await;
    let failed: EmailFailed = scenario.peer.first_events("notification", 1).await[0].message();
    assert_eq!(failed.smtp_code, 451);
    scenario.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_004_partner_text_cannot_inject_email_headers() {
    let scenario = start_with(|id, revision| {
        let mut record = record(id, revision);
        if let Some(account) = record
            .customer
            .as_mut()
            .and_then(|customer| customer.account.as_mut())
        {
            account.company_name =
                "Alder\r\nBcc: victim@example.com\r\n\r\n.\r\nRCPT TO:<victim@example.com>".to_owned();
        }
        Ok(record)
    })
    .await;
    scenario.approve("O7").await;
    assert_eq!(
        scenario.recipients(2).await,
        [address("mem-marketing"), address("mem-user")]
    );
    for mail in scenario.smtp.mails() {
        let text = String::from_utf8(mail.data).expect("text");
        let (header, _) = text.split_once("\r\n\r\n").expect("a header and a body");
        // The name of the customer is in the subject, and only there.
        let header = header.replace("\r\n ", " ");
        let injected = header.lines().filter(|line| line.contains("victim"));
        assert_eq!(injected.count(), 1, "{header}");
        assert!(
            !header.contains("\nBcc") && !header.contains("\nRCPT"),
            "{header}"
        );
        assert!(header.contains("Content-Transfer-Encoding: "), "{header}");
    }
    scenario.app.finish::<Notifications>().await;
}

/// Mail programs would decode an encoded word, and show what it hides (RFC 2047).
#[tokio::test]
async fn plt_014_partner_text_cannot_be_an_encoded_word_of_a_subject() {
    let scenario = start_with(|id, revision| {
        let mut record = record(id, revision);
        if let Some(project) = &mut record.project {
            project.title = "=?utf-8?q?=1B[2J=0D=0AFrom:_ceo@aws.example?=".to_owned();
        }
        Ok(record)
    })
    .await;
    scenario.approve("O7").await;
    scenario.recipients(2).await;
    for mail in scenario.smtp.mails() {
        let subject = mail.subject();
        assert!(subject.contains("= ?utf-8?q?=1B[2J=0D"), "{subject:?}");
    }
    scenario.app.finish::<Notifications>().await;
}
