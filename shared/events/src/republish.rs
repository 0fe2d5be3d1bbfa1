//! Events, published again out of the journal, with their old ids: for a stream that was lost, or an event that the
//! broker had refused. Consumers that had them already take no notice.

use chrono::{DateTime, Utc};
use cosell_grpc::Failure;
use cosell_store::{Db, Scope};

/// Which events to publish again.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Range {
    /// From this sequence number of the journal.
    #[arg(long)]
    pub from_seq: Option<i64>,

    /// Up to and with this sequence number.
    #[arg(long)]
    pub to_seq: Option<i64>,

    /// From this time (RFC 3339).
    #[arg(long)]
    pub from_time: Option<DateTime<Utc>>,

    /// Before this time (RFC 3339).
    #[arg(long)]
    pub to_time: Option<DateTime<Utc>>,
}

/// Marks the events of a range as pending again, and sets free those that the broker had refused. The relay does the
/// rest. Returns how many events are to be published.
pub async fn republish(work: &Db, range: &Range) -> anyhow::Result<u64> {
    let mut tx = work.tx(&Scope::work()).await.map_err(Failure::from)?;
    // As many events as there are need longer than a call may take.
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
