//! Housekeeping of the platform tables: deletes expired request ids, inbox rows and denials, and counts open dead
//! letters.

use std::time::Duration;

use chrono::TimeDelta;
use cosell_grpc::Failure;
use cosell_store::{Db, Scope, delete_expired_denials, delete_expired_requests};
use cosell_telemetry::metrics;
use cosell_types::Clock;
use opentelemetry::KeyValue;
use tokio_util::sync::CancellationToken;

/// Maximum rows of a table that are deleted in one transaction.
const BATCH: i64 = 1000;
const INTERVAL: Duration = Duration::from_secs(60);
/// Retention of inbox rows: longer than that of streams, so that every redelivered event is recognized. After it the
/// aggregate's cursor still recognizes the event.
const INBOX_RETENTION: TimeDelta = TimeDelta::days(45);

/// Runs housekeeping every minute until `stop` is cancelled.
pub async fn sweep(work: Db, clock: Clock, stop: CancellationToken) {
    loop {
        let pause = match run_once(&work, &clock).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => INTERVAL,
            Err(failure) => {
                tracing::warn!(%failure, "housekeeping failed; retrying");
                INTERVAL
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Deletes one batch of each table. Returns whether more expired rows may remain.
async fn run_once(work: &Db, clock: &Clock) -> Result<bool, Failure> {
    let mut tx = work.tx(&Scope::work()).await?;
    let requests = delete_expired_requests(&mut tx, clock.now(), BATCH).await?;
    let inbox = sqlx::query!(
        "DELETE FROM inbox WHERE (account_id, consumer, event_id) IN
         (SELECT account_id, consumer, event_id FROM inbox WHERE received_at < $1 ORDER BY received_at LIMIT $2)",
        clock.now() - INBOX_RETENTION,
        BATCH,
    )
    .execute(tx.conn())
    .await
    .map_err(cosell_store::Error::from)?;
    let denials = delete_expired_denials(&mut tx, BATCH).await?;
    let dead_letters = sqlx::query!(
        "SELECT consumer, count(*) FILTER (WHERE resolved_at IS NULL) AS \"open!\" FROM dead_letter GROUP BY consumer"
    )
    .fetch_all(tx.conn())
    .await
    .map_err(cosell_store::Error::from)?;
    tx.commit().await?;
    for row in dead_letters {
        metrics::DEAD_LETTERS.record(row.open, &[KeyValue::new("consumer", row.consumer)]);
    }
    let inbox = inbox.rows_affected();
    tracing::debug!(requests, inbox, denials, "expired rows deleted");
    Ok(requests.max(inbox).max(denials) == BATCH.unsigned_abs())
}
