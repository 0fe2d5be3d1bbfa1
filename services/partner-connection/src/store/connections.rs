use cosell_events::{Cause, append};
use cosell_store::{Error, Scope, Tx, require_written};
use cosell_types::{AccountId, ClosedList as _};
use sqlx::types::Json;

use crate::domain::{Connection, ConnectionEvent, SubsidiaryLinks};
use crate::events;

/// The connection of the account with this id.
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

/// The active connection of the two accounts.
pub async fn load_active_connection(
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

/// The active SUBSIDIARY links of the account.
pub async fn load_subsidiary_links(tx: &mut Tx, account: &AccountId) -> Result<SubsidiaryLinks, Error> {
    let rows = sqlx::query!(
        r#"SELECT record AS "record: Json<Connection>" FROM connection
           WHERE account_id = $1 AND status = 'ACTIVE' AND 'SUBSIDIARY:ACTIVE' = ANY (types)"#,
        account.as_str(),
    )
    .fetch_all(tx.conn())
    .await?;
    let connections: Vec<_> = rows.into_iter().map(|row| row.record.0).collect();
    Ok(SubsidiaryLinks::from_connections(account, &connections))
}

/// The number of active connections of the account.
pub async fn count_active_connections(tx: &mut Tx, account: &AccountId) -> Result<i64, Error> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "count!" FROM connection WHERE account_id = $1 AND status = 'ACTIVE'"#,
        account.as_str(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.count)
}

/// The only function that writes connections: stores one row for each of the two accounts, and appends an event for
/// each to the outbox.
pub async fn save(
    tx: &mut Tx,
    connection: &Connection,
    event: ConnectionEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    let types: Vec<_> = connection
        .type_details()
        .iter()
        .map(|detail| format!("{}:{}", detail.kind.name(), detail.status().name()))
        .collect();
    let scope = tx.scope().clone();
    for party in connection.parties() {
        tx.switch_scope(&Scope::account(&party.account)).await?;
        let rows = sqlx::query!(
            "INSERT INTO connection (account_id, connection_id, other_account_id, revision, status, types,
               create_time, record)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (account_id, connection_id) DO UPDATE SET revision = $4, status = $5, types = $6, record = $8
             WHERE connection.revision = $4::bigint - 1",
            party.account.as_str(),
            connection.id().as_str(),
            connection.counterparty(&party.account).account.as_str(),
            connection.revision(),
            connection.status().name(),
            &types,
            connection.create_time(),
            Json(connection) as _,
        )
        .execute(tx.conn())
        .await?;
        require_written(rows.rows_affected())?;
        append(tx, &events::connection(connection, &party.account, event, cause)).await?;
    }
    tx.switch_scope(&scope).await
}
