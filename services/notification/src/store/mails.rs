//! E-mails to be sent.

use chrono::{DateTime, TimeDelta, Utc};
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, MemberId, Pii, random};

use crate::domain::Letter;

/// An e-mail in the queue.
#[derive(Clone, Debug)]
pub struct Queued {
    pub account: AccountId,
    pub id: String,
    pub notification: Option<String>,
    pub member: Option<MemberId>,
    pub recipient: Pii<String>,
    pub subject: Pii<String>,
    pub body: Pii<String>,
    /// This attempt included.
    pub attempts: i32,
    pub create_time: DateTime<Utc>,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The mail server took it.
    Sent,
    /// To be tried again at this time; with the server's reply code if there was one.
    Later(DateTime<Utc>, Option<i32>),
    /// Given up; with the server's reply code if there was one.
    Failed(Option<i32>),
}

/// Queues an e-mail; with the member and its notification, if it goes to one.
pub async fn queue(
    tx: &mut Tx,
    account: &AccountId,
    member: Option<(&MemberId, &str)>,
    recipient: &Pii<String>,
    letter: &Letter,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO mail (account_id, mail_id, notification_id, member_id, recipient, subject, body, state,
           create_time, due_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'QUEUED', $8, $8)",
        account.as_str(),
        random::prefixed("mail-"),
        member.map(|(_, notification)| notification),
        member.map(|(member, _)| member.as_str()),
        recipient.reveal(),
        letter.subject,
        letter.body,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes e-mails that are due, and puts them off for as long as an attempt may take: if the process ends in between,
/// they are due again.
pub async fn take_due(
    tx: &mut Tx,
    now: DateTime<Utc>,
    attempt: TimeDelta,
    limit: i64,
) -> Result<Vec<Queued>, Error> {
    let rows = sqlx::query!(
        "UPDATE mail SET attempts = attempts + 1, due_time = $2 WHERE (account_id, mail_id) IN (
           SELECT account_id, mail_id FROM mail WHERE state = 'QUEUED' AND due_time <= $1
           ORDER BY due_time LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING account_id, mail_id, notification_id, member_id, recipient, subject, body, attempts, create_time",
        now,
        now + attempt,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Queued {
                account: row
                    .account_id
                    .parse()
                    .map_err(|error| Error::corrupt("account_id", error))?,
                id: row.mail_id,
                notification: row.notification_id,
                member: row.member_id.and_then(|member| member.parse().ok()),
                recipient: row.recipient.into(),
                subject: row.subject.into(),
                body: row.body.into(),
                attempts: row.attempts,
                create_time: row.create_time,
            })
        })
        .collect()
}

/// Writes down what became of an attempt; false when another attempt had already come to an end.
pub async fn finish(tx: &mut Tx, mail: &Queued, outcome: Outcome, now: DateTime<Utc>) -> Result<bool, Error> {
    let (state, due, code, done) = match outcome {
        Outcome::Sent => ("SENT", now, None, Some(now)),
        Outcome::Later(due, code) => ("QUEUED", due, code, None),
        Outcome::Failed(code) => ("FAILED", now, code, Some(now)),
    };
    let finished = sqlx::query!(
        "UPDATE mail SET state = $3, due_time = $4, smtp_code = $5, done_time = $6
         WHERE account_id = $1 AND mail_id = $2 AND state = 'QUEUED'",
        mail.account.as_str(),
        mail.id,
        state,
        due,
        code,
        done,
    )
    .execute(tx.conn())
    .await?;
    Ok(finished.rows_affected() == 1)
}
