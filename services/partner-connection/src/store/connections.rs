use cosell_events::{Cause, append};
use cosell_store::{Error, Scope, Tx, written};
use cosell_types::{AccountId, ClosedList as _};
use sqlx::types::Json;

use crate::domain::{Connection, ConnectionEvent, Links};
use crate::events;

/// A connection of an account.
pub async fn load(tx: &mut Tx, account: &AccountId, id: &str) -> Result<Option<Connection>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Connection>" FROM connection WHERE account_id = $1 AND connection_id = $2"#,
        account.as_str(),
        id,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The active connection of two accounts.
pub async fn active_between(
    tx: &mut Tx,
    account: &AccountId,
    other: &AccountId,
) -> Result<Option<Connection>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Connection>" FROM connection
           WHERE account_id = $1 AND other_account_id = $2 AND status = 'ACTIVE'"#,
        account.as_str(),
        other.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// How an account is linked with others by SUBSIDIARY.
pub async fn links(tx: &mut Tx, account: &AccountId) -> Result<Links, Error> {
    let rows = sqlx::query!(
        r#"SELECT record AS "record: Json<Connection>" FROM connection
           WHERE account_id = $1 AND status = 'ACTIVE' AND 'SUBSIDIARY:ACTIVE' = ANY (types)"#,
        account.as_str(),
    )
    .fetch_all(tx.conn())
    .await?;
    let active: Vec<_> = rows.into_iter().map(|row| row.record.0).collect();
    Ok(Links::of(account, &active))
}

/// How many active connections an account has.
pub async fn active_of(tx: &mut Tx, account: &AccountId) -> Result<i64, Error> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "count!" FROM connection WHERE account_id = $1 AND status = 'ACTIVE'"#,
        account.as_str(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.count)
}

/// The only way to write a connection: each company's row and its event, or none of them.
pub async fn save(
    tx: &mut Tx,
    connection: &Connection,
    event: ConnectionEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    let types: Vec<_> = connection
        .parts()
        .iter()
        .map(|part| format!("{}:{}", part.kind.name(), part.status().name()))
        .collect();
    let scope = tx.scope().clone();
    for party in connection.parties() {
        tx.act_for(&Scope::account(&party.account)).await?;
        let rows = sqlx::query!(
            "INSERT INTO connection (account_id, connection_id, other_account_id, revision, status, types,
               create_time, record)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (account_id, connection_id) DO UPDATE SET revision = $4, status = $5, types = $6, record = $8
             WHERE connection.revision = $4::bigint - 1",
            party.account.as_str(),
            connection.id().as_str(),
            connection.other(&party.account).account.as_str(),
            connection.revision(),
            connection.status().name(),
            &types,
            connection.create_time(),
            Json(connection) as _,
        )
        .execute(tx.conn())
        .await?;
        written(rows.rows_affected())?;
        append(tx, &events::connection(connection, &party.account, event, cause)).await?;
    }
    tx.act_for(&scope).await
}
