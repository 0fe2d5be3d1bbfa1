use chrono::{DateTime, Utc};
use cosell_events::{Cause, append};
use cosell_store::{Error, Scope, Tx, require_written};
use cosell_types::{AccountId, ClosedList as _, ParticipantType};
use sqlx::types::Json;

use crate::domain::{EngagementId, Invitation, InvitationEvent, InvitationId};
use crate::events;

/// The invitation with its content, if row-level security makes it visible.
pub async fn load_invitation(
    tx: &mut Tx,
    id: &InvitationId,
) -> Result<Option<(Invitation, Option<Vec<u8>>)>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Invitation>", shown FROM invitation WHERE invitation_id = $1"#,
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.record.0, row.shown)))
}

/// An invitation that the account has received.
pub async fn load_received_invitation(
    tx: &mut Tx,
    receiver: &AccountId,
    id: &InvitationId,
) -> Result<Option<Invitation>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Invitation>" FROM invitation WHERE account_id = $1 AND invitation_id = $2"#,
        receiver.as_str(),
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The latest invitation of each receiver to an engagement, with its content.
pub async fn load_latest_invitations(
    tx: &mut Tx,
    sender: &AccountId,
    engagement: &EngagementId,
    receivers: &[String],
) -> Result<Vec<(Invitation, Option<Vec<u8>>)>, Error> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT ON (account_id) record AS "record: Json<Invitation>", shown FROM invitation
           WHERE sender_account_id = $1 AND engagement_id = $2 AND account_id = ANY($3)
           ORDER BY account_id, create_time DESC, invitation_id DESC"#,
        sender.as_str(),
        engagement.as_str(),
        receivers,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.record.0, row.shown)).collect())
}

/// The pending invitations from one account to another.
pub async fn list_pending_invitations(
    tx: &mut Tx,
    sender: &AccountId,
    receiver: &AccountId,
) -> Result<Vec<(InvitationId, EngagementId)>, Error> {
    let rows = sqlx::query!(
        "SELECT invitation_id, engagement_id FROM invitation
         WHERE account_id = $2 AND sender_account_id = $1 AND state = 'PENDING'",
        sender.as_str(),
        receiver.as_str(),
    )
    .fetch_all(tx.conn())
    .await?;
    let corrupt = |error| Error::corrupt("id", error);
    rows.into_iter()
        .map(|row| {
            Ok((
                row.invitation_id.parse().map_err(corrupt)?,
                row.engagement_id.parse().map_err(corrupt)?,
            ))
        })
        .collect()
}

/// Saves a new invitation with its content and appends an event for each of the two accounts. `is_limited` hides it
/// from AWS sales roles (COL-050).
pub async fn send_invitation(
    tx: &mut Tx,
    invitation: &Invitation,
    (content, is_limited): (&[u8], bool),
    event: InvitationEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    tx.switch_scope(&Scope::account(invitation.receiver())).await?;
    sqlx::query!(
        "INSERT INTO invitation (account_id, invitation_id, sender_account_id, engagement_id, revision, state, create_time,
           expire_time, record, shown, is_limited)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        invitation.receiver().as_str(),
        invitation.id().as_str(),
        invitation.sender().as_str(),
        invitation.engagement().as_str(),
        invitation.revision(),
        invitation.state().name(),
        invitation.create_time(),
        invitation.expire_time(),
        Json(invitation) as _,
        content,
        is_limited,
    )
    .execute(tx.conn())
    .await?;
    append_events(tx, invitation, event, cause).await
}

/// The only function that changes an invitation: its row, and an event for each of the two accounts. Deletes the
/// content of an invitation that was not accepted (COL-012). The transaction has the scope of the sender afterwards.
pub async fn save_invitation(
    tx: &mut Tx,
    invitation: &Invitation,
    event: InvitationEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    tx.switch_scope(&Scope::account(invitation.receiver())).await?;
    let updated = sqlx::query!(
        "UPDATE invitation SET revision = $3, state = $4, record = $5, shown = CASE WHEN $6 THEN shown END
         WHERE account_id = $1 AND invitation_id = $2 AND revision = $3::bigint - 1",
        invitation.receiver().as_str(),
        invitation.id().as_str(),
        invitation.revision(),
        invitation.state().name(),
        Json(invitation) as _,
        invitation.has_readable_content(cause.time),
    )
    .execute(tx.conn())
    .await?;
    require_written(updated.rows_affected())?;
    append_events(tx, invitation, event, cause).await
}

async fn append_events(
    tx: &mut Tx,
    invitation: &Invitation,
    event: InvitationEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    for participant in [ParticipantType::Receiver, ParticipantType::Sender] {
        let published = events::invitation(invitation, participant, event, cause);
        let account = match participant {
            ParticipantType::Receiver => invitation.receiver(),
            ParticipantType::Sender => invitation.sender(),
        };
        tx.switch_scope(&Scope::account(account)).await?;
        append(tx, &published).await?;
    }
    Ok(())
}

/// A pending invitation past its deadline.
pub struct DueInvitation {
    pub receiver: AccountId,
    pub id: InvitationId,
    expire_time: DateTime<Utc>,
}

/// At most `limit` pending invitations of all accounts past their deadline after `last`, longest overdue first.
/// Requires the work scope.
pub async fn list_due_invitations(
    tx: &mut Tx,
    now: DateTime<Utc>,
    last: Option<&DueInvitation>,
    limit: i64,
) -> Result<Vec<DueInvitation>, Error> {
    let rows = sqlx::query!(
        "SELECT account_id, invitation_id, expire_time FROM invitation
         WHERE state = 'PENDING' AND expire_time <= $1 AND (expire_time, account_id, invitation_id) > ($2, $3, $4)
         ORDER BY expire_time, account_id, invitation_id LIMIT $5",
        now,
        last.map_or(DateTime::UNIX_EPOCH, |due| due.expire_time),
        last.map_or("", |due| due.receiver.as_str()),
        last.map_or("", |due| due.id.as_str()),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let corrupt = |error| Error::corrupt("id", error);
    rows.into_iter()
        .map(|row| {
            Ok(DueInvitation {
                receiver: row.account_id.parse().map_err(corrupt)?,
                id: row.invitation_id.parse().map_err(corrupt)?,
                expire_time: row.expire_time,
            })
        })
        .collect()
}
