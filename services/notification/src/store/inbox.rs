//! The in-app inbox.

use chrono::{DateTime, Utc};
use cosell_grpc::convert::is_stored;
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId};
use serde::{Deserialize, Serialize};

use crate::domain::Letter;
use crate::domain::values::Kind;

/// What a notification is about; none of both for news about the member itself.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// An opportunity.
    pub opportunity: Option<OpportunityId>,
    /// An invitation to connect.
    pub invitation: Option<String>,
}

/// A notification in a member's inbox.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: String,
    pub kind: Kind,
    pub about: About,
    pub subject: String,
    pub body: String,
    pub create_time: DateTime<Utc>,
    pub read_time: Option<DateTime<Utc>>,
}

/// The last row of a page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Last(pub DateTime<Utc>, pub String);

impl Last {
    /// Whether a page could end there.
    pub fn is_sound(&self) -> bool {
        is_stored(&self.0) && self.1.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

/// Puts a notification into a member's inbox.
pub async fn put(
    tx: &mut Tx,
    id: &str,
    to: (&AccountId, &MemberId),
    kind: Kind,
    about: &About,
    letter: &Letter,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO notification
           (account_id, notification_id, member_id, kind, opportunity_id, subject, body, create_time,
            connection_invitation_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        to.0.as_str(),
        id,
        to.1.as_str(),
        kind.name(),
        about.opportunity.map(OpportunityId::number),
        letter.subject,
        letter.body,
        now,
        about.invitation.as_deref(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// At most `limit` notifications of a member after `last`, newest first.
pub async fn list(
    tx: &mut Tx,
    account: &AccountId,
    member: &MemberId,
    unread_only: bool,
    last: Option<Last>,
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    let (time, id) = last.map_or((None, String::new()), |Last(time, id)| (Some(time), id));
    let rows = sqlx::query!(
        "SELECT notification_id, kind, opportunity_id, connection_invitation_id, subject, body, create_time,
           read_time FROM notification
         WHERE account_id = $1 AND member_id = $2 AND (NOT $3 OR read_time IS NULL)
           AND ($4::timestamptz IS NULL OR (create_time, notification_id) < ($4, $5))
         ORDER BY create_time DESC, notification_id DESC LIMIT $6",
        account.as_str(),
        member.as_str(),
        unread_only,
        time,
        id,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Entry {
                id: row.notification_id,
                kind: Kind::from_name(&row.kind).ok_or_else(|| Error::corrupt("kind", "unknown"))?,
                about: About {
                    opportunity: row.opportunity_id.and_then(OpportunityId::from_number),
                    invitation: row.connection_invitation_id,
                },
                subject: row.subject,
                body: row.body,
                create_time: row.create_time,
                read_time: row.read_time,
            })
        })
        .collect()
}

/// Marks a member's notifications read; returns how many of them exist.
pub async fn mark_notifications_read(
    tx: &mut Tx,
    account: &AccountId,
    member: &MemberId,
    ids: &[String],
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let marked = sqlx::query!(
        "UPDATE notification SET read_time = coalesce(read_time, $4)
         WHERE account_id = $1 AND member_id = $2 AND notification_id = ANY($3)",
        account.as_str(),
        member.as_str(),
        ids,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(marked.rows_affected())
}

/// How many notifications of a member are unread.
pub async fn unread(tx: &mut Tx, account: &AccountId, member: &MemberId) -> Result<i64, Error> {
    let row = sqlx::query!(
        "SELECT count(*) AS \"count!\" FROM notification
         WHERE account_id = $1 AND member_id = $2 AND read_time IS NULL",
        account.as_str(),
        member.as_str(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.count)
}
