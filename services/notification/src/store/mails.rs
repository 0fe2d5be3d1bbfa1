//! The mail queue.

use chrono::{DateTime, TimeDelta, Utc};
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _, MemberId, Pii, random};

use crate::domain::NotificationText;
use crate::domain::values::NotificationKind;

/// A queued e-mail that an attempt has claimed.
#[derive(Clone, Debug)]
pub struct QueuedMail {
    pub account: AccountId,
    pub id: String,
    pub notification: Option<String>,
    pub member: Option<MemberId>,
    /// `None` for a contact, and for an e-mail that a version without this column queued.
    pub kind: Option<NotificationKind>,
    pub recipient: Pii<String>,
    pub subject: Pii<String>,
    pub body: Pii<String>,
    /// The number of attempts, including the current one.
    pub attempts: i32,
    pub create_time: DateTime<Utc>,
}

/// The outcome of an attempt, with the reply code of the mail server if there was one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The mail server accepted the e-mail.
    Sent,
    /// The next attempt is due at this time.
    Retry(DateTime<Utc>, Option<i32>),
    /// The e-mail is given up.
    Failed(Option<i32>),
}

/// The member who gets an e-mail.
#[derive(Clone, Copy, Debug)]
pub struct MailRecipient<'a> {
    pub member: &'a MemberId,
    /// The id of the notification in its inbox.
    pub notification: &'a str,
    pub kind: NotificationKind,
}

/// Queues an e-mail to a member, or to a contact if there is none.
pub async fn queue_mail(
    tx: &mut Tx,
    account: &AccountId,
    member: Option<MailRecipient<'_>>,
    address: &Pii<String>,
    text: &NotificationText,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO mail (account_id, mail_id, notification_id, member_id, kind, recipient, subject, body, state,
           create_time, due_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'QUEUED', $9, $9)",
        account.as_str(),
        random::prefixed("mail-"),
        member.map(|to| to.notification),
        member.map(|to| to.member.as_str()),
        member.map(|to| to.kind.name()),
        address.reveal(),
        text.subject,
        text.body,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Claims due e-mails for the duration of the lease. They are due again when it expires, in case the process ends
/// before it records an outcome.
pub async fn claim_due_mails(
    tx: &mut Tx,
    now: DateTime<Utc>,
    lease: TimeDelta,
    limit: i64,
) -> Result<Vec<QueuedMail>, Error> {
    let rows = sqlx::query!(
        "UPDATE mail SET attempts = attempts + 1, due_time = $2 WHERE (account_id, mail_id) IN (
           SELECT account_id, mail_id FROM mail WHERE state = 'QUEUED' AND due_time <= $1
           ORDER BY due_time LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING account_id, mail_id, notification_id, member_id, kind, recipient, subject, body, attempts,
           create_time",
        now,
        now + lease,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(QueuedMail {
                account: row
                    .account_id
                    .parse()
                    .map_err(|error| Error::corrupt("account_id", error))?,
                id: row.mail_id,
                notification: row.notification_id,
                member: row.member_id.and_then(|member| member.parse().ok()),
                kind: row.kind.and_then(|kind| NotificationKind::from_name(&kind)),
                recipient: row.recipient.into(),
                subject: row.subject.into(),
                body: row.body.into(),
                attempts: row.attempts,
                create_time: row.create_time,
            })
        })
        .collect()
}

/// Saves the outcome of an attempt. False if the e-mail is no longer queued, because another attempt sent it or gave it
/// up.
pub async fn save_outcome(
    tx: &mut Tx,
    mail: &QueuedMail,
    outcome: AttemptOutcome,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let (state, due_time, code, done_time) = match outcome {
        AttemptOutcome::Sent => ("SENT", now, None, Some(now)),
        AttemptOutcome::Retry(time, code) => ("QUEUED", time, code, None),
        AttemptOutcome::Failed(code) => ("FAILED", now, code, Some(now)),
    };
    let updated = sqlx::query!(
        "UPDATE mail SET state = $3, due_time = $4, smtp_code = $5, done_time = $6
         WHERE account_id = $1 AND mail_id = $2 AND state = 'QUEUED'",
        mail.account.as_str(),
        mail.id,
        state,
        due_time,
        code,
        done_time,
    )
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected() == 1)
}
