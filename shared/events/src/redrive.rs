//! Dead letters, tried again: in the order of their versions, each with its effect and its proof in one transaction.

use cosell_grpc::Failure;
use cosell_store::{Db, Error, Scope};
use cosell_types::AccountId;
use serde_json::Value;

use crate::{Delivery, Fault, Handler};

/// Redrives the dead letters of one aggregate, or of all, of a consumer. Stops at the first of an aggregate that
/// still fails. Returns how many had their effect.
pub async fn redrive<H: Handler>(
    work: &Db,
    events: &Db,
    consumer: &str,
    aggregate: Option<&str>,
    handler: &H,
) -> anyhow::Result<u64> {
    let mut tx = work.tx(&Scope::work()).await.map_err(Failure::from)?;
    let waiting = sqlx::query!(
        "SELECT DISTINCT account_id, aggregate_id FROM dead_letter
         WHERE consumer = $1 AND resolved_at IS NULL AND ($2::text IS NULL OR aggregate_id = $2)",
        consumer,
        aggregate,
    )
    .fetch_all(tx.conn())
    .await?;
    tx.commit().await?;
    let mut redriven = 0;
    for row in waiting {
        let account: AccountId = row.account_id.parse()?;
        loop {
            match next(events, consumer, &account, &row.aggregate_id, handler).await {
                Ok(true) => redriven += 1,
                Ok(false) => break,
                Err(fault) => {
                    tracing::error!(%fault, aggregate_id = row.aggregate_id, "the dead letter still fails");
                    break;
                }
            }
        }
    }
    Ok(redriven)
}

/// Redrives the earliest dead letter of an aggregate; false when there is none left, and then the aggregate goes on.
async fn next<H: Handler>(
    db: &Db,
    consumer: &str,
    account: &AccountId,
    aggregate_id: &str,
    handler: &H,
) -> Result<bool, Fault> {
    let mut tx = db.tx(&Scope::account(account)).await?;
    // The cursor's lock keeps the running consumer from parking another event in between.
    let cursor = sqlx::query!(
        "SELECT version FROM aggregate_cursor WHERE account_id = $1 AND consumer = $2 AND aggregate_id = $3 FOR UPDATE",
        account.as_str(),
        consumer,
        aggregate_id,
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(Error::from)?;
    // What was applied in the meantime, when events were published again, needs nothing more.
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
    let letter = sqlx::query!(
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
    let Some(letter) = letter else {
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

    let text = |name: &str| letter.headers.get(name).and_then(Value::as_str);
    let delivery = Delivery {
        event_id: letter.event_id,
        account: account.clone(),
        aggregate_id: aggregate_id.to_owned(),
        version: letter.aggregate_version,
        type_name: letter.r#type,
        time: text("time")
            .and_then(|time| time.parse().ok())
            .unwrap_or_default(),
        actor: text("actor").unwrap_or_default().to_owned(),
        request_id: text("request_id").unwrap_or_default().to_owned(),
        traceparent: text("traceparent").map(str::to_owned),
        subject: letter.subject,
        payload: letter.payload.into(),
    };
    let prepared = handler.prepare(&delivery).await?;
    let mut tx = db.tx(&Scope::account(account)).await?;
    let moved = sqlx::query!(
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
    if moved.rows_affected() == 0 {
        return Err(Fault::permanent(format!(
            "version {} is not the next one",
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
