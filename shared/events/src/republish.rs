//! Republishes events of the journal with their old ids, after the loss of a stream or for events that the broker
//! refused. Consumers that have applied them ignore them.

use chrono::{DateTime, Utc};
use cosell_grpc::Failure;
use cosell_store::{Db, Scope};

/// The events to republish; without limits all events of the journal.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct JournalRange {
    /// First sequence number of the journal.
    #[arg(long)]
    pub from_seq: Option<i64>,

    /// Last sequence number of the journal (inclusive).
    #[arg(long)]
    pub to_seq: Option<i64>,

    /// Start time (RFC 3339, inclusive).
    #[arg(long)]
    pub from_time: Option<DateTime<Utc>>,

    /// End time (RFC 3339, exclusive).
    #[arg(long)]
    pub to_time: Option<DateTime<Utc>>,
}

/// Marks the events of a range as pending again and unblocks those that the broker refused; the relay publishes them.
/// Returns the number of events marked.
pub async fn republish(work: &Db, range: &JournalRange) -> anyhow::Result<u64> {
    let mut tx = work.tx(&Scope::work()).await.map_err(Failure::from)?;
    // The whole journal can exceed the default statement timeout.
    sqlx::query!("SELECT set_config('statement_timeout', '10min', true)")
        .fetch_one(tx.conn())
        .await?;
    sqlx::query!("UPDATE outbox_pending SET blocked = false WHERE blocked")
        .execute(tx.conn())
        .await?;
    sqlx::query!(
        "UPDATE dead_letter SET resolved_at = clock_timestamp() WHERE consumer = 'relay' AND resolved_at IS NULL"
    )
    .execute(tx.conn())
    .await?;
    let marked = sqlx::query!(
        "INSERT INTO outbox_pending (seq, occurred_at, shard, aggregate_id)
         SELECT seq, occurred_at, shard, aggregate_id FROM event_journal
         WHERE ($1::bigint IS NULL OR seq >= $1) AND ($2::bigint IS NULL OR seq <= $2)
           AND ($3::timestamptz IS NULL OR occurred_at >= $3) AND ($4::timestamptz IS NULL OR occurred_at < $4)
         ON CONFLICT DO NOTHING",
        range.from_seq,
        range.to_seq,
        range.from_time,
        range.to_time,
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(marked.rows_affected())
}
