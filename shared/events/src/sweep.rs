//! Housekeeping of the platform's tables: old request ids, inbox rows and denials go, open dead letters are counted.

use std::time::Duration;

use chrono::TimeDelta;
use cosell_grpc::Failure;
use cosell_store::{Db, Scope, forget_denials, prune};
use cosell_telemetry::metrics;
use cosell_types::Clock;
use opentelemetry::KeyValue;
use tokio_util::sync::CancellationToken;

/// Most rows of a table that are deleted at a time.
const BATCH: i64 = 1000;
const EVERY: Duration = Duration::from_secs(60);
/// Longer than a stream keeps an event, so that an event that comes again is always known. Beyond it the aggregate's
/// cursor still is.
const INBOX_KEPT: TimeDelta = TimeDelta::days(45);

/// Sweeps every minute until told to stop.
pub async fn sweep(work: Db, clock: Clock, stop: CancellationToken) {
    loop {
        let pause = match once(&work, &clock).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => EVERY,
            Err(failure) => {
                tracing::warn!(%failure, "housekeeping failed; it is tried again in a minute");
                EVERY
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Deletes a batch of each; whether there may be more.
async fn once(work: &Db, clock: &Clock) -> Result<bool, Failure> {
    let mut tx = work.tx(&Scope::work()).await?;
    let requests = prune(&mut tx, clock.now(), BATCH).await?;
    let inbox = sqlx::query!(
        "DELETE FROM inbox WHERE (account_id, consumer, event_id) IN
         (SELECT account_id, consumer, event_id FROM inbox WHERE received_at < $1 ORDER BY received_at LIMIT $2)",
        clock.now() - INBOX_KEPT,
        BATCH,
    )
    .execute(tx.conn())
    .await
    .map_err(cosell_store::Error::from)?;
    let denials = forget_denials(&mut tx, BATCH).await?;
    let letters = sqlx::query!(
        "SELECT consumer, count(*) FILTER (WHERE resolved_at IS NULL) AS \"open!\" FROM dead_letter GROUP BY consumer"
    )
    .fetch_all(tx.conn())
    .await
    .map_err(cosell_store::Error::from)?;
    tx.commit().await?;
    for letter in letters {
        metrics::DEAD_LETTERS.record(letter.open, &[KeyValue::new("consumer", letter.consumer)]);
    }
    let inbox = inbox.rows_affected();
    tracing::debug!(requests, inbox, denials, "swept");
    Ok(requests.max(inbox).max(denials) == BATCH.unsigned_abs())
}
