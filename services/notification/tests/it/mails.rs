//! Sending: what the mail server refuses or cannot take now.

use chrono::TimeDelta;
use cosell_notification::Notifications;
use cosell_proto::cosell::notification::v1::EmailFailed;
use cosell_testkit::harness::eventually;
use cosell_testkit::smtp::Sink;

use crate::support::{ALDER, Stage, address, count, record, start, start_at, start_with, user};

async fn refused(stage: &Stage, at_least: usize) {
    eventually(async || match stage.smtp.refused() {
        seen if seen >= at_least => Ok(()),
        seen => Err(format!("{seen} of {at_least} attempts")),
    })
    .await;
}

async fn in_state(stage: &Stage, sql: &'static str, expected: i64) {
    eventually(async || match count(&stage.app, sql).await {
        seen if seen == expected => Ok(()),
        seen => Err(format!("{seen}, not {expected}: {sql}")),
    })
    .await;
}

const WAITING: &str = "SELECT count(*) FROM mail WHERE state = 'QUEUED' AND attempts = 1 AND smtp_code = 451";
const FAILED: &str = "SELECT count(*) FROM mail WHERE state = 'FAILED'";

#[tokio::test]
async fn not_004_mail_that_is_refused_for_now_is_sent_later_under_the_same_id() {
    let stage = start().await;
    stage.smtp.refuse_with(451);
    stage.approve("O7").await;
    in_state(&stage, WAITING, 2).await;
    assert_eq!(stage.smtp.mails().len(), 0);

    stage.smtp.refuse_with(0);
    stage.app.clock.advance(TimeDelta::seconds(30));
    assert_eq!(
        stage.recipients(2).await,
        [address("mem-marketing"), address("mem-user")]
    );
    for mail in stage.smtp.mails() {
        let text = String::from_utf8(mail.data).expect("text");
        assert!(text.contains("Subject: O7 was approved\r\n"), "{text}");
        assert!(
            text.contains("From: \"cosell\" <no-reply@cosell.example>\r\n")
                || text.contains("From: cosell <no-reply@cosell.example>\r\n"),
            "{text}"
        );
        let id = text
            .split("Message-ID: <mail-")
            .nth(1)
            .and_then(|rest| rest.split('@').next())
            .expect("an id");
        assert_eq!(id.len(), 13, "{text}");
        let mut admin = stage.app.database.admin::<Notifications>().await;
        let attempts: i32 = sqlx::query_scalar("SELECT attempts FROM mail WHERE mail_id = 'mail-' || $1")
            .bind(id)
            .fetch_one(&mut admin)
            .await
            .expect("the e-mail of that id");
        assert_eq!(attempts, 2);
    }
    stage.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_004_mail_waits_for_a_server_that_is_away() {
    let away = Sink::start("127.0.0.1:0", None).expect("a mail server");
    let at = away.address();
    drop(away);
    // Stands elsewhere until the service has noticed that nobody answers.
    let elsewhere = Sink::start("127.0.0.1:0", None).expect("a mail server");
    let mut stage = start_at(at.port(), |id, revision| Ok(record(id, revision)), elsewhere).await;
    stage.approve("O7").await;
    in_state(
        &stage,
        "SELECT count(*) FROM mail WHERE state = 'QUEUED' AND attempts = 1",
        2,
    )
    .await;
    stage.smtp = Sink::start(&at.to_string(), None).expect("the mail server, back again");
    stage.app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(stage.recipients(2).await.len(), 2);
    stage.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_004_mail_that_is_refused_for_good_is_given_up_and_the_rest_is_not() {
    let stage = start().await;
    stage.smtp.refuse_with(550);
    stage.approve("O7").await;
    in_state(&stage, FAILED, 2).await;
    stage.smtp.refuse_with(0);
    stage.app.clock.advance(TimeDelta::days(1));
    stage.approve("O8").await;
    assert_eq!(
        stage.recipients(2).await.len(),
        2,
        "what was given up is not tried again"
    );
    assert_eq!(stage.smtp.refused(), 2);

    let inbox = stage.inbox(&user()).await;
    let notification = inbox
        .iter()
        .find(|entry| entry.opportunity_id == "O7")
        .expect("the inbox has it all the same");
    let failed: Vec<_> = stage.far.first("notification", 2).await;
    let failed: Vec<EmailFailed> = failed.iter().map(|event| event.message()).collect();
    let of_user = failed
        .iter()
        .find(|event| event.member_id == "mem-user")
        .expect("an event about mem-user");
    assert_eq!(of_user.account_id, ALDER);
    assert_eq!(of_user.smtp_code, 550);
    assert_eq!(of_user.notification_id, notification.notification_id);
    assert!(of_user.mail_id.starts_with("mail-"), "{of_user:?}");
    stage.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_004_mail_that_nobody_takes_for_three_days_is_given_up() {
    let stage = start().await;
    stage.smtp.refuse_with(451);
    stage.approve("O7").await;
    in_state(&stage, WAITING, 2).await;
    stage
        .app
        .clock
        .advance(TimeDelta::days(3) + TimeDelta::minutes(1));
    refused(&stage, 4).await;
    in_state(&stage, FAILED, 2).await;
    let failed: EmailFailed = stage.far.first("notification", 1).await[0].message();
    assert_eq!(failed.smtp_code, 451);
    stage.app.finish::<Notifications>().await;
}

#[tokio::test]
async fn not_004_what_a_partner_wrote_becomes_no_header() {
    let stage = start_with(|id, revision| {
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
    stage.approve("O7").await;
    assert_eq!(
        stage.recipients(2).await,
        [address("mem-marketing"), address("mem-user")]
    );
    for mail in stage.smtp.mails() {
        let text = String::from_utf8(mail.data).expect("text");
        let (head, _) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(!head.contains("victim"), "{head}");
    }
    stage.app.finish::<Notifications>().await;
}
