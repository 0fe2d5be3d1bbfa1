//! The consumer's guard: the inbox and the aggregate's cursor ensure that each event takes effect once and in order.
//! Both are written in the transaction of the effect.

use cosell_store::{Db, Error, Scope, Tx};

use crate::{Delivery, Sabotage};

/// Whether an event can be applied now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimOutcome {
    /// It is the next event of its aggregate: apply it.
    Next,
    /// It was already applied.
    AlreadyApplied,
    /// An earlier event of its aggregate is not applied yet.
    Early,
    /// An earlier event of its aggregate is a dead letter.
    Parked,
}

/// Claims the event. With `Next`, the inbox row and the advanced cursor are written in the open transaction.
pub(crate) async fn claim(
    tx: &mut Tx,
    consumer: &str,
    delivery: &Delivery,
    sabotage: Sabotage,
) -> Result<ClaimOutcome, Error> {
    if sabotage.is(Sabotage::NoGuard) {
        return Ok(ClaimOutcome::Next);
    }
    let account = delivery.account.as_str();
    let inserted = sqlx::query!(
        "INSERT INTO inbox (account_id, consumer, event_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        account,
        consumer,
        delivery.event_id,
    )
    .execute(tx.conn())
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(ClaimOutcome::AlreadyApplied);
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
    let advanced = sqlx::query!(
        "UPDATE aggregate_cursor SET version = $4
         WHERE account_id = $1 AND consumer = $2 AND aggregate_id = $3 AND version = $4::bigint - 1 AND NOT parked",
        account,
        consumer,
        delivery.aggregate_id,
        delivery.version,
    )
    .execute(tx.conn())
    .await?;
    if advanced.rows_affected() == 1 {
        return Ok(ClaimOutcome::Next);
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
        ClaimOutcome::AlreadyApplied
    } else if cursor.parked {
        ClaimOutcome::Parked
    } else {
        ClaimOutcome::Early
    })
}

/// Predicts the outcome of [`claim`] without claiming the event.
pub(crate) async fn peek(db: &Db, consumer: &str, delivery: &Delivery) -> Result<ClaimOutcome, Error> {
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
        next if next == version + 1 && !parked => ClaimOutcome::Next,
        applied if applied <= version => ClaimOutcome::AlreadyApplied,
        _ if parked => ClaimOutcome::Parked,
        _ => ClaimOutcome::Early,
    })
}

/// Why an event is moved to the dead letters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParkCause<'a> {
    /// `permanent`, `bug` or `parked`.
    pub class: &'static str,
    pub error: &'a str,
    pub attempts: i64,
}

/// Moves the event to the dead letters and parks its aggregate. With the class `parked`, only if the aggregate is still
/// parked. Returns false if the aggregate was unparked, or the event applied, concurrently: then it must be
/// redelivered.
pub(crate) async fn park(
    db: &Db,
    consumer: &str,
    delivery: &Delivery,
    cause: ParkCause<'_>,
) -> Result<bool, cosell_grpc::Failure> {
    let account = delivery.account.as_str();
    let mut tx = db.tx(&Scope::account(&delivery.account)).await?;
    let is_follower = cause.class == "parked";
    let parked = sqlx::query!(
        "INSERT INTO aggregate_cursor AS cursor (account_id, consumer, aggregate_id, version, parked)
         VALUES ($1, $2, $3, 0, true)
         ON CONFLICT (account_id, consumer, aggregate_id) DO UPDATE SET parked = true
           WHERE cursor.version < $5 AND (cursor.parked OR NOT $4)",
        account,
        consumer,
        delivery.aggregate_id,
        is_follower,
        delivery.version,
    )
    .execute(tx.conn())
    .await
    .map_err(Error::from)?;
    if parked.rows_affected() == 0 {
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
