//! What makes an event's effect happen once and in order: the inbox and the aggregate's cursor, in the transaction of
//! the effect.

use cosell_store::{Db, Error, Scope, Tx};

use crate::{Delivery, Sabotage};

/// Whether an event may have its effect now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the next of its aggregate.
    Next,
    /// It had its effect before.
    Done,
    /// An earlier one of its aggregate has not come yet.
    Early,
    /// An earlier one of its aggregate is a dead letter.
    Parked,
}

/// Claims the event for its effect. `Next` leaves the inbox row and the moved cursor in the open transaction.
pub(crate) async fn claim(
    tx: &mut Tx,
    consumer: &str,
    delivery: &Delivery,
    sabotage: Sabotage,
) -> Result<Verdict, Error> {
    if sabotage.is(Sabotage::NoGuard) {
        return Ok(Verdict::Next);
    }
    let account = delivery.account.as_str();
    let fresh = sqlx::query!(
        "INSERT INTO inbox (account_id, consumer, event_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        account,
        consumer,
        delivery.event_id,
    )
    .execute(tx.conn())
    .await?;
    if fresh.rows_affected() == 0 {
        return Ok(Verdict::Done);
    }
    sqlx::query!(
        "INSERT INTO aggregate_cursor (account_id, consumer, aggregate_id, version) VALUES ($1, $2, $3, 0)
         ON CONFLICT DO NOTHING",
        account,
        consumer,
        delivery.aggregate_id,
    )
    .execute(tx.conn())
    .await?;
    let moved = sqlx::query!(
        "UPDATE aggregate_cursor SET version = $4
         WHERE account_id = $1 AND consumer = $2 AND aggregate_id = $3 AND version = $4::bigint - 1 AND NOT parked",
        account,
        consumer,
        delivery.aggregate_id,
        delivery.version,
    )
    .execute(tx.conn())
    .await?;
    if moved.rows_affected() == 1 {
        return Ok(Verdict::Next);
    }
    let cursor = sqlx::query!(
        "SELECT version, parked FROM aggregate_cursor WHERE account_id = $1 AND consumer = $2 AND aggregate_id = $3",
        account,
        consumer,
        delivery.aggregate_id,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(if delivery.version <= cursor.version {
        Verdict::Done
    } else if cursor.parked {
        Verdict::Parked
    } else {
        Verdict::Early
    })
}

/// Looks, without claiming anything, whether handling the event would be in vain.
pub(crate) async fn peek(db: &Db, consumer: &str, delivery: &Delivery) -> Result<Verdict, Error> {
    let mut tx = db.tx(&Scope::account(&delivery.account)).await?;
    let cursor = sqlx::query!(
        "SELECT version, parked FROM aggregate_cursor WHERE account_id = $1 AND consumer = $2 AND aggregate_id = $3",
        delivery.account.as_str(),
        consumer,
        delivery.aggregate_id,
    )
    .fetch_optional(tx.conn())
    .await?;
    let (version, parked) = cursor.map_or((0, false), |cursor| (cursor.version, cursor.parked));
    Ok(match delivery.version {
        next if next == version + 1 && !parked => Verdict::Next,
        done if done <= version => Verdict::Done,
        _ if parked => Verdict::Parked,
        _ => Verdict::Early,
    })
}

/// Why an event becomes a dead letter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cause<'a> {
    /// `permanent`, `bug` or `parked`.
    pub class: &'static str,
    pub error: &'a str,
    pub attempts: i64,
}

/// Puts the event among the dead letters and makes its aggregate wait for it. An event that only joins an earlier one
/// does so while that is still there. False when it was redriven in the meantime, or when another worker has applied the
/// event: then it need only come again.
pub(crate) async fn park(
    db: &Db,
    consumer: &str,
    delivery: &Delivery,
    cause: Cause<'_>,
) -> Result<bool, cosell_grpc::Failure> {
    let account = delivery.account.as_str();
    let mut tx = db.tx(&Scope::account(&delivery.account)).await?;
    let joins = cause.class == "parked";
    let marked = sqlx::query!(
        "INSERT INTO aggregate_cursor AS cursor (account_id, consumer, aggregate_id, version, parked)
         VALUES ($1, $2, $3, 0, true)
         ON CONFLICT (account_id, consumer, aggregate_id) DO UPDATE SET parked = true
           WHERE cursor.version < $5 AND (cursor.parked OR NOT $4)",
        account,
        consumer,
        delivery.aggregate_id,
        joins,
        delivery.version,
    )
    .execute(tx.conn())
    .await
    .map_err(Error::from)?;
    if marked.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "INSERT INTO dead_letter (account_id, consumer, event_id, aggregate_id, aggregate_version, type, subject,
           headers, payload, error_class, error, attempts)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
        account,
        consumer,
        delivery.event_id,
        delivery.aggregate_id,
        delivery.version,
        delivery.type_name,
        delivery.subject,
        delivery.stored_headers(),
        &delivery.payload[..],
        cause.class,
        cause.error,
        cause.attempts,
    )
    .execute(tx.conn())
    .await
    .map_err(Error::from)?;
    tx.commit().await?;
    Ok(true)
}
