use chrono::{DateTime, Utc};
use cosell_events::{Cause, append};
use cosell_store::{Error, Scope, Tx, written};
use cosell_types::{AccountId, ClosedList as _, OpportunityId};
use sqlx::types::Json;

use crate::domain::{Channel, ChannelEvent, ChannelId, Person};
use crate::events;

/// The index that keeps the open channels of an opportunity apart.
const OPEN: &str = "channel_open";

/// A channel, as far as row-level security shows it.
pub async fn load_channel(tx: &mut Tx, id: &ChannelId) -> Result<Option<Channel>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Channel>" FROM channel WHERE channel_id = $1"#,
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// A channel of an account, held until the transaction ends. The transaction is for that account afterwards.
pub async fn lock_channel(
    tx: &mut Tx,
    account: &AccountId,
    id: &ChannelId,
) -> Result<Option<Channel>, Error> {
    tx.act_for(&Scope::account(account)).await?;
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Channel>" FROM channel WHERE account_id = $1 AND channel_id = $2 FOR UPDATE"#,
        account.as_str(),
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The channel of an opportunity that is not over, held until the transaction ends.
pub async fn open_channel(
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

/// The only way to write a channel: its row, those of its people, and its events, or none of them. The transaction is
/// for its account afterwards.
pub async fn save_channel(
    tx: &mut Tx,
    channel: &Channel,
    happened: &[ChannelEvent],
    cause: Cause<'_>,
) -> Result<(), Error> {
    tx.act_for(&Scope::account(channel.account())).await?;
    // What the provider did is no change that anybody is told of, and the revision stays.
    let before = channel.revision() - i64::try_from(happened.len()).unwrap_or(0);
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
        channel.next().map(|(_, time)| time),
        Json(channel) as _,
        before,
    )
    .execute(tx.conn())
    .await
    .map_err(Error::from)
    // Somebody else has asked for one at the same time.
    .map_err(|error| if error.violates(OPEN) { Error::Overtaken } else { error })?;
    written(rows.rows_affected())?;
    for member in channel.members() {
        sqlx::query!(
            "INSERT INTO channel_member (account_id, channel_id, member_account_id, member_id, state, invite_id)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (account_id, channel_id, member_account_id, member_id) DO UPDATE SET state = $5, invite_id = $6",
            channel.account().as_str(),
            channel.id().as_str(),
            member.person.account.as_str(),
            member.person.member.as_str(),
            member.state.name(),
            member.invite_id.as_deref(),
        )
        .execute(tx.conn())
        .await?;
    }
    for event in happened {
        append(tx, &events::channel(channel, event, cause)).await?;
    }
    Ok(())
}

/// A channel, with the account whose it is.
pub struct Known {
    /// The account.
    pub account: AccountId,
    /// The channel.
    pub id: ChannelId,
}

fn known(account: &str, id: &str) -> Result<Known, Error> {
    let corrupt = |error| Error::corrupt("id", error);
    Ok(Known {
        account: account.parse().map_err(corrupt)?,
        id: id.parse().map_err(corrupt)?,
    })
}

/// The channel that a provider means; for the worker.
pub async fn by_external_id(tx: &mut Tx, external_id: &str) -> Result<Option<Known>, Error> {
    let row = sqlx::query!(
        "SELECT account_id, channel_id FROM channel WHERE external_id = $1",
        external_id,
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| known(&row.account_id, &row.channel_id)).transpose()
}

/// The channel and the person of an invitation of a provider; for the worker.
pub async fn by_invitation(tx: &mut Tx, invite_id: &str) -> Result<Option<(Known, Person)>, Error> {
    let row = sqlx::query!(
        "SELECT account_id, channel_id, member_account_id, member_id FROM channel_member WHERE invite_id = $1",
        invite_id,
    )
    .fetch_optional(tx.conn())
    .await?;
    let corrupt = |error| Error::corrupt("id", error);
    row.map(|row| {
        let person = Person {
            account: row.member_account_id.parse().map_err(corrupt)?,
            member: row.member_id.parse().map_err(corrupt)?,
        };
        Ok((known(&row.account_id, &row.channel_id)?, person))
    })
    .transpose()
}

/// The channels in which a person is waited for, at most so many; for the worker.
pub async fn waiting_for(tx: &mut Tx, person: &Person, most: i64) -> Result<Vec<Known>, Error> {
    let rows = sqlx::query!(
        "SELECT account_id, channel_id FROM channel_member
         WHERE member_account_id = $1 AND member_id = $2 AND state IN ('SELECTED', 'INVITED')
         ORDER BY account_id, channel_id LIMIT $3",
        person.account.as_str(),
        person.member.as_str(),
        most,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.iter()
        .map(|row| known(&row.account_id, &row.channel_id))
        .collect()
}

/// A channel about which something is to be done.
pub struct DueChannel {
    /// Which.
    pub known: Known,
    due_time: DateTime<Utc>,
}

/// Channels of all accounts about which something is to be done, the longest overdue first, after `last`; for the
/// worker.
pub async fn due_channels(
    tx: &mut Tx,
    now: DateTime<Utc>,
    last: Option<&DueChannel>,
    most: i64,
) -> Result<Vec<DueChannel>, Error> {
    let rows = sqlx::query!(
        r#"SELECT account_id, channel_id, due_time AS "due_time!" FROM channel
           WHERE due_time <= $1 AND (due_time, account_id, channel_id) > ($2, $3, $4)
           ORDER BY due_time, account_id, channel_id LIMIT $5"#,
        now,
        last.map_or(DateTime::UNIX_EPOCH, |due| due.due_time),
        last.map_or("", |due| due.known.account.as_str()),
        last.map_or("", |due| due.known.id.as_str()),
        most,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(DueChannel {
                known: known(&row.account_id, &row.channel_id)?,
                due_time: row.due_time,
            })
        })
        .collect()
}
