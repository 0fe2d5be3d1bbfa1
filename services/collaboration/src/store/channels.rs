use chrono::{DateTime, Utc};
use cosell_events::{Cause, append};
use cosell_store::{Error, Scope, Tx, require_written};
use cosell_types::{AccountId, ClosedList as _, OpportunityId};
use sqlx::types::Json;

use crate::domain::{Channel, ChannelEvent, ChannelId, MemberRef};
use crate::events;

/// The unique index that permits one open channel per opportunity (CHN-002).
const OPEN_CHANNEL_INDEX: &str = "channel_open";

/// The channel, if row-level security makes it visible.
pub async fn load_channel(tx: &mut Tx, id: &ChannelId) -> Result<Option<Channel>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Channel>" FROM channel WHERE channel_id = $1"#,
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// A channel of an account, locked until the transaction ends. The transaction has the scope of that account
/// afterwards.
pub async fn lock_channel(
    tx: &mut Tx,
    account: &AccountId,
    id: &ChannelId,
) -> Result<Option<Channel>, Error> {
    tx.switch_scope(&Scope::account(account)).await?;
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Channel>" FROM channel WHERE account_id = $1 AND channel_id = $2 FOR UPDATE"#,
        account.as_str(),
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The open channel of an opportunity, locked until the transaction ends.
pub async fn lock_open_channel(
    tx: &mut Tx,
    account: &AccountId,
    opportunity: OpportunityId,
) -> Result<Option<Channel>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Channel>" FROM channel
           WHERE account_id = $1 AND opportunity_id = $2 AND state IN ('REQUESTED', 'APPROVED', 'ACTIVE') FOR UPDATE"#,
        account.as_str(),
        opportunity.number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The only function that writes a channel: its row, the rows of its members, and its events. The transaction has the
/// scope of its account afterwards.
pub async fn save_channel(
    tx: &mut Tx,
    channel: &Channel,
    channel_events: &[ChannelEvent],
    cause: Cause<'_>,
) -> Result<(), Error> {
    tx.switch_scope(&Scope::account(channel.account())).await?;
    // Each event increments the revision. Progress at the provider has no event and keeps the revision.
    let loaded_revision = channel.revision() - i64::try_from(channel_events.len()).unwrap_or(0);
    let rows = sqlx::query!(
        "INSERT INTO channel AS row (account_id, channel_id, opportunity_id, requested_by, revision, state, create_time,
           external_id, due_time, record)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (account_id, channel_id) DO UPDATE SET revision = $5, state = $6, external_id = $8, due_time = $9,
           record = $10 WHERE row.revision = $11",
        channel.account().as_str(),
        channel.id().as_str(),
        channel.opportunity().number(),
        channel.requested_by().as_str(),
        channel.revision(),
        channel.state().name(),
        channel.create_time(),
        channel.external_id(),
        channel.next_step().map(|(_, time)| time),
        Json(channel) as _,
        loaded_revision,
    )
    .execute(tx.conn())
    .await
    .map_err(Error::from)
    // A concurrent call has requested a channel for the same opportunity.
    .map_err(|error| {
        if error.violates(OPEN_CHANNEL_INDEX) {
            Error::VersionConflict
        } else {
            error
        }
    })?;
    require_written(rows.rows_affected())?;
    for member in channel.members() {
        sqlx::query!(
            "INSERT INTO channel_member (account_id, channel_id, member_account_id, member_id, state, invite_id)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (account_id, channel_id, member_account_id, member_id) DO UPDATE SET state = $5, invite_id = $6",
            channel.account().as_str(),
            channel.id().as_str(),
            member.member_ref.account.as_str(),
            member.member_ref.member.as_str(),
            member.state.name(),
            member.invite_id.as_deref(),
        )
        .execute(tx.conn())
        .await?;
    }
    for event in channel_events {
        append(tx, &events::channel(channel, event, cause)).await?;
    }
    Ok(())
}

/// The ID of a channel and of its partner account.
pub struct ChannelRef {
    pub account: AccountId,
    pub id: ChannelId,
}

fn parse_channel_ref(account: &str, id: &str) -> Result<ChannelRef, Error> {
    let corrupt = |error| Error::corrupt("id", error);
    Ok(ChannelRef {
        account: account.parse().map_err(corrupt)?,
        id: id.parse().map_err(corrupt)?,
    })
}

/// The channel with this ID at the provider. Requires the work scope.
pub async fn find_by_external_id(tx: &mut Tx, external_id: &str) -> Result<Option<ChannelRef>, Error> {
    let row = sqlx::query!(
        "SELECT account_id, channel_id FROM channel WHERE external_id = $1",
        external_id,
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| parse_channel_ref(&row.account_id, &row.channel_id))
        .transpose()
}

/// The channel and the member of an invitation with this ID at the provider. Requires the work scope.
pub async fn find_by_invite_id(
    tx: &mut Tx,
    invite_id: &str,
) -> Result<Option<(ChannelRef, MemberRef)>, Error> {
    let row = sqlx::query!(
        "SELECT account_id, channel_id, member_account_id, member_id FROM channel_member WHERE invite_id = $1",
        invite_id,
    )
    .fetch_optional(tx.conn())
    .await?;
    let corrupt = |error| Error::corrupt("id", error);
    row.map(|row| {
        let member_ref = MemberRef {
            account: row.member_account_id.parse().map_err(corrupt)?,
            member: row.member_id.parse().map_err(corrupt)?,
        };
        Ok((parse_channel_ref(&row.account_id, &row.channel_id)?, member_ref))
    })
    .transpose()
}

/// At most `limit` channels in which the member is selected or invited. Requires the work scope.
pub async fn list_channels_inviting(
    tx: &mut Tx,
    member_ref: &MemberRef,
    limit: i64,
) -> Result<Vec<ChannelRef>, Error> {
    let rows = sqlx::query!(
        "SELECT account_id, channel_id FROM channel_member
         WHERE member_account_id = $1 AND member_id = $2 AND state IN ('SELECTED', 'INVITED')
         ORDER BY account_id, channel_id LIMIT $3",
        member_ref.account.as_str(),
        member_ref.member.as_str(),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.iter()
        .map(|row| parse_channel_ref(&row.account_id, &row.channel_id))
        .collect()
}

/// A channel whose next step is due.
pub struct DueChannel {
    pub channel_ref: ChannelRef,
    due_time: DateTime<Utc>,
}

/// At most `limit` channels of all accounts with a due step after `last`, longest overdue first. Requires the work
/// scope.
pub async fn list_due_channels(
    tx: &mut Tx,
    now: DateTime<Utc>,
    last: Option<&DueChannel>,
    limit: i64,
) -> Result<Vec<DueChannel>, Error> {
    let rows = sqlx::query!(
        r#"SELECT account_id, channel_id, due_time AS "due_time!" FROM channel
           WHERE due_time <= $1 AND (due_time, account_id, channel_id) > ($2, $3, $4)
           ORDER BY due_time, account_id, channel_id LIMIT $5"#,
        now,
        last.map_or(DateTime::UNIX_EPOCH, |due| due.due_time),
        last.map_or("", |due| due.channel_ref.account.as_str()),
        last.map_or("", |due| due.channel_ref.id.as_str()),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(DueChannel {
                channel_ref: parse_channel_ref(&row.account_id, &row.channel_id)?,
                due_time: row.due_time,
            })
        })
        .collect()
}
