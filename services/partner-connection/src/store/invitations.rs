use chrono::{DateTime, Utc};
use cosell_events::{Cause, append};
use cosell_store::{Error, Scope, Tx, require_written};
use cosell_types::{AccountId, ClosedList as _, ParticipantType};
use sqlx::types::Json;

use crate::domain::values::ConnectionType;
use crate::domain::{Invitation, InvitationEvent, InvitationId};
use crate::events;

/// The invitation with this id that the account sent or received.
pub async fn load(tx: &mut Tx, account: &AccountId, id: &str) -> Result<Option<Invitation>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Invitation>" FROM connection_invitation
           WHERE account_id = $1 AND connection_invitation_id = $2"#,
        account.as_str(),
        id,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The pending invitation of a type between the two accounts, in either direction. It may be past its deadline if its
/// expiry is not stored yet.
pub async fn load_pending_invitation(
    tx: &mut Tx,
    account: &AccountId,
    other: &AccountId,
    kind: ConnectionType,
) -> Result<Option<Invitation>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Invitation>" FROM connection_invitation
           WHERE account_id = $1 AND other_account_id = $2 AND type = $3 AND status = 'PENDING'"#,
        account.as_str(),
        other.as_str(),
        kind.name(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The number of invitations that the account has sent since `since`, and the number of those that are pending at
/// `now`.
pub async fn count_sender_invitations(
    tx: &mut Tx,
    account: &AccountId,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(i64, i64), Error> {
    let row = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE create_time >= $2) AS "sent!",
             count(*) FILTER (WHERE status = 'PENDING' AND expire_time > $3) AS "open!"
           FROM connection_invitation
           WHERE account_id = $1 AND participant_type = 'SENDER' AND (create_time >= $2 OR status = 'PENDING')"#,
        account.as_str(),
        since,
        now,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.sent, row.open))
}

/// The key of an invitation that is pending past its deadline.
pub struct OverdueInvitation {
    pub sender: AccountId,
    pub receiver: AccountId,
    pub id: InvitationId,
    expire_time: DateTime<Utc>,
}

/// At most `limit` invitations of all accounts that are pending past their deadline, the longest overdue first, after
/// `last`. Requires the scope of the worker.
pub async fn load_overdue_invitations(
    tx: &mut Tx,
    now: DateTime<Utc>,
    last: Option<&OverdueInvitation>,
    limit: i64,
) -> Result<Vec<OverdueInvitation>, Error> {
    let rows = sqlx::query!(
        "SELECT account_id, other_account_id, connection_invitation_id, expire_time FROM connection_invitation
         WHERE participant_type = 'SENDER' AND status = 'PENDING' AND expire_time <= $1
           AND (expire_time, connection_invitation_id) > ($2, $3)
         ORDER BY expire_time, connection_invitation_id LIMIT $4",
        now,
        last.map_or(DateTime::UNIX_EPOCH, |overdue| overdue.expire_time),
        last.map_or("", |overdue| overdue.id.as_str()),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let corrupt = |error| Error::corrupt("id", error);
    rows.into_iter()
        .map(|row| {
            Ok(OverdueInvitation {
                sender: row.account_id.parse().map_err(corrupt)?,
                receiver: row.other_account_id.parse().map_err(corrupt)?,
                id: row.connection_invitation_id.parse().map_err(corrupt)?,
                expire_time: row.expire_time,
            })
        })
        .collect()
}

/// The only function that writes invitations: stores one row for each of the two accounts, and appends an event for
/// each to the outbox.
pub async fn save(
    tx: &mut Tx,
    invitation: &Invitation,
    event: InvitationEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    let scope = tx.scope().clone();
    for party in [invitation.sender(), invitation.receiver()] {
        let counterparty = invitation.counterparty(&party.account);
        let is_sender = invitation.participant_type(&party.account) == ParticipantType::Sender;
        let visible_counterparty = if is_sender {
            invitation.receiver_visible_to(&party.account)
        } else {
            Some(counterparty)
        };
        let profile = visible_counterparty.and_then(|party| party.profile.as_ref());
        tx.switch_scope(&Scope::account(&party.account)).await?;
        let rows = sqlx::query!(
            "INSERT INTO connection_invitation (account_id, connection_invitation_id, other_account_id,
               other_profile_id, participant_type, revision, type, status, create_time, expire_time, record)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (account_id, connection_invitation_id) DO UPDATE SET other_profile_id = $4, revision = $6, status = $8, record = $11
             WHERE connection_invitation.revision = $6::bigint - 1",
            party.account.as_str(),
            invitation.id().as_str(),
            counterparty.account.as_str(),
            profile.map_or("", |profile| profile.as_str()),
            invitation.participant_type(&party.account).name(),
            invitation.revision(),
            invitation.details().kind.name(),
            invitation.status().name(),
            invitation.create_time(),
            invitation.expire_time(),
            Json(invitation) as _,
        )
        .execute(tx.conn())
        .await?;
        require_written(rows.rows_affected())?;
        append(tx, &events::invitation(invitation, &party.account, event, cause)).await?;
    }
    tx.switch_scope(&scope).await
}
