//! The inboxes of members.

use chrono::{DateTime, Utc};
use cosell_grpc::convert::is_valid_time;
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId};
use serde::{Deserialize, Serialize};

use crate::domain::NotificationText;
use crate::domain::values::NotificationKind;

/// The records to which a notification relates.
#[derive(Clone, Debug, Default)]
pub struct RelatedRecords {
    pub opportunity: Option<OpportunityId>,
    pub connection_invitation: Option<String>,
}

/// A notification in a member's inbox.
#[derive(Clone, Debug)]
pub struct InboxEntry {
    pub id: String,
    pub kind: NotificationKind,
    pub related: RelatedRecords,
    pub subject: String,
    pub body: String,
    pub create_time: DateTime<Utc>,
    pub read_time: Option<DateTime<Utc>>,
}

/// The sort key of the last row of a page: creation time and notification id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageCursor(DateTime<Utc>, String);

impl PageCursor {
    /// The cursor of the page that follows this entry.
    pub fn after(entry: &InboxEntry) -> Self {
        Self(entry.create_time, entry.id.clone())
    }

    /// Whether the values could be those of a notification. Page tokens are not signed.
    pub fn is_valid(&self) -> bool {
        is_valid_time(&self.0) && self.1.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

/// Inserts a notification into the inbox of a member.
pub async fn insert_notification(
    tx: &mut Tx,
    id: &str,
    (account, member): (&AccountId, &MemberId),
    kind: NotificationKind,
    related: &RelatedRecords,
    text: &NotificationText,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO notification
           (account_id, notification_id, member_id, kind, opportunity_id, subject, body, create_time,
            connection_invitation_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        account.as_str(),
        id,
        member.as_str(),
        kind.name(),
        related.opportunity.map(OpportunityId::number),
        text.subject,
        text.body,
        now,
        related.connection_invitation.as_deref(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// At most `limit` notifications of a member after the cursor, newest first.
pub async fn list_inbox(
    tx: &mut Tx,
    account: &AccountId,
    member: &MemberId,
    unread_only: bool,
    cursor: Option<PageCursor>,
    limit: i64,
) -> Result<Vec<InboxEntry>, Error> {
    let (time, id) = cursor.map_or((None, String::new()), |PageCursor(time, id)| (Some(time), id));
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
            Ok(InboxEntry {
                id: row.notification_id,
                kind: NotificationKind::from_name(&row.kind)
                    .ok_or_else(|| Error::corrupt("kind", "unknown"))?,
                related: RelatedRecords {
                    opportunity: row.opportunity_id.and_then(OpportunityId::from_number),
                    connection_invitation: row.connection_invitation_id,
                },
                subject: row.subject,
                body: row.body,
                create_time: row.create_time,
                read_time: row.read_time,
            })
        })
        .collect()
}

/// Marks notifications of a member as read. Returns how many of them are in the inbox.
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

pub async fn count_unread(tx: &mut Tx, account: &AccountId, member: &MemberId) -> Result<i64, Error> {
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
