//! Redrives dead letters in the order of their versions, each with its effect and its inbox row in one transaction.

use cosell_grpc::Failure;
use cosell_store::{Db, Error, Scope};
use cosell_types::AccountId;
use serde_json::Value;

use crate::{Delivery, Handler, HandlerError};

/// Redrives the dead letters of a consumer, for one aggregate or for all. Stops at the first failure of each aggregate.
/// Returns how many events were applied.
pub async fn redrive<H: Handler>(
    work: &Db,
    events: &Db,
    consumer: &str,
    aggregate: Option<&str>,
    handler: &H,
) -> anyhow::Result<u64> {
    let mut tx = work.tx(&Scope::work()).await.map_err(Failure::from)?;
    let parked = sqlx::query!(
        "SELECT DISTINCT account_id, aggregate_id FROM dead_letter
         WHERE consumer = $1 AND resolved_at IS NULL AND ($2::text IS NULL OR aggregate_id = $2)",
        consumer,
        aggregate,
    )
    .fetch_all(tx.conn())
    .await?;
    tx.commit().await?;
    let mut redriven = 0;
    for row in parked {
        let account: AccountId = row.account_id.parse()?;
        loop {
            match redrive_next(events, consumer, &account, &row.aggregate_id, handler).await {
                Ok(true) => redriven += 1,
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%error, aggregate_id = row.aggregate_id, "redriving the dead letter failed");
                    break;
                }
            }
        }
    }
    Ok(redriven)
}

/// Redrives the earliest dead letter of an aggregate. Returns false if none is left, after unparking the aggregate.
async fn redrive_next<H: Handler>(
    db: &Db,
    consumer: &str,
    account: &AccountId,
    aggregate_id: &str,
    handler: &H,
) -> Result<bool, HandlerError> {
    let mut tx = db.tx(&Scope::account(account)).await?;
    // The lock on the cursor prevents a running consumer from parking another event concurrently.
    let cursor = sqlx::query!(
        "SELECT version FROM aggregate_cursor WHERE account_id = $1 AND consumer = $2 AND aggregate_id = $3 FOR UPDATE",
        account.as_str(),
        consumer,
        aggregate_id,
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(Error::from)?;
    // Events that have been applied since, by republishing, are resolved.
    sqlx::query!(
        "UPDATE dead_letter SET resolved_at = clock_timestamp()
         WHERE account_id = $1 AND consumer = $2 AND aggregate_id = $3 AND aggregate_version <= $4
           AND resolved_at IS NULL",
        account.as_str(),
        consumer,
        aggregate_id,
        cursor.map_or(0, |cursor| cursor.version),
    )
    .execute(tx.conn())
    .await
    .map_err(Error::from)?;
    let dead_letter = sqlx::query!(
        "SELECT event_id, aggregate_version, type, subject, headers, payload FROM dead_letter
         WHERE account_id = $1 AND consumer = $2 AND aggregate_id = $3 AND resolved_at IS NULL
         ORDER BY aggregate_version LIMIT 1",
        account.as_str(),
        consumer,
        aggregate_id,
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(Error::from)?;
    let Some(dead_letter) = dead_letter else {
        sqlx::query!(
            "UPDATE aggregate_cursor SET parked = false WHERE account_id = $1 AND consumer = $2 AND aggregate_id = $3",
            account.as_str(),
            consumer,
            aggregate_id,
        )
        .execute(tx.conn())
        .await
        .map_err(Error::from)?;
        tx.commit().await?;
        return Ok(false);
    };
    drop(tx);

    let text = |name: &str| dead_letter.headers.get(name).and_then(Value::as_str);
    let delivery = Delivery {
        event_id: dead_letter.event_id,
        account: account.clone(),
        aggregate_id: aggregate_id.to_owned(),
        version: dead_letter.aggregate_version,
        type_name: dead_letter.r#type,
        time: text("time")
            .and_then(|time| time.parse().ok())
            .unwrap_or_default(),
        actor: text("actor").unwrap_or_default().to_owned(),
        request_id: text("request_id").unwrap_or_default().to_owned(),
        traceparent: text("traceparent").map(str::to_owned),
        subject: dead_letter.subject,
        payload: dead_letter.payload.into(),
    };
    let prepared = handler.prepare(&delivery).await?;
    let mut tx = db.tx(&Scope::account(account)).await?;
    let advanced = sqlx::query!(
        "UPDATE aggregate_cursor SET version = $4
         WHERE account_id = $1 AND consumer = $2 AND aggregate_id = $3 AND version = $4::bigint - 1",
        account.as_str(),
        consumer,
        aggregate_id,
        delivery.version,
    )
    .execute(tx.conn())
    .await
    .map_err(Error::from)?;
    if advanced.rows_affected() == 0 {
        return Err(HandlerError::permanent(format!(
            "version {} is not the next version of the aggregate",
            delivery.version
        )));
    }
    sqlx::query!(
        "INSERT INTO inbox (account_id, consumer, event_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        account.as_str(),
        consumer,
        delivery.event_id,
    )
    .execute(tx.conn())
    .await
    .map_err(Error::from)?;
    sqlx::query!(
        "UPDATE dead_letter SET resolved_at = clock_timestamp()
         WHERE account_id = $1 AND consumer = $2 AND event_id = $3",
        account.as_str(),
        consumer,
        delivery.event_id,
    )
    .execute(tx.conn())
    .await
    .map_err(Error::from)?;
    handler.apply(&mut tx, &delivery, prepared).await?;
    tx.commit().await?;
    Ok(true)
}
