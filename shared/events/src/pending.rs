//! The pending events of the outbox, in the order in which they are to be published.

use chrono::{DateTime, Utc};
use cosell_store::{Error, Tx};
use serde_json::Value;
use uuid::Uuid;

/// An event that is not published yet.
pub(crate) struct Pending {
    pub seq: i64,
    pub attempts: i32,
    pub account_id: String,
    pub occurred_at: DateTime<Utc>,
    pub event_id: Uuid,
    pub aggregate_id: String,
    pub aggregate_version: i64,
    pub r#type: String,
    pub subject: String,
    pub headers: Value,
    pub payload: Vec<u8>,
}

/// At most `limit` live events of these shards, oldest first. Each is preceded by the pending bulk events of its
/// aggregate, which preserves the order within the aggregate.
pub(crate) async fn live(tx: &mut Tx, shards: &[i16], limit: i64) -> Result<Vec<Pending>, Error> {
    let batch = sqlx::query_as!(
        Pending,
        r#"WITH live AS (
             SELECT seq, aggregate_id FROM outbox_pending WHERE NOT bulk AND shard = ANY($1) ORDER BY seq LIMIT $2),
           due AS (
             SELECT seq FROM live
             UNION
             SELECT b.seq FROM live JOIN outbox_pending b ON b.aggregate_id = live.aggregate_id
             WHERE b.bulk AND b.seq < live.seq)
           SELECT p.seq AS "seq!", p.attempts AS "attempts!", j.account_id, j.occurred_at, j.event_id, j.aggregate_id,
             j.aggregate_version, j.type, j.subject, j.headers, j.payload
           FROM due JOIN outbox_pending p ON p.seq = due.seq
             JOIN event_journal j ON j.seq = p.seq AND j.occurred_at = p.occurred_at
           WHERE NOT EXISTS (
             SELECT FROM outbox_pending b WHERE b.blocked AND b.aggregate_id = p.aggregate_id AND b.seq <= p.seq)
           ORDER BY p.seq"#,
        shards,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(batch)
}

/// At most `limit` bulk events of these shards, oldest first, without those that must follow a live event of their
/// aggregate.
pub(crate) async fn bulk(tx: &mut Tx, shards: &[i16], limit: i64) -> Result<Vec<Pending>, Error> {
    let batch = sqlx::query_as!(
        Pending,
        "SELECT p.seq, p.attempts, j.account_id, j.occurred_at, j.event_id, j.aggregate_id, j.aggregate_version,
           j.type, j.subject, j.headers, j.payload
         FROM outbox_pending p JOIN event_journal j ON j.seq = p.seq AND j.occurred_at = p.occurred_at
         WHERE p.bulk AND p.shard = ANY($1)
           AND NOT EXISTS (
             SELECT FROM outbox_pending b WHERE b.blocked AND b.aggregate_id = p.aggregate_id AND b.seq <= p.seq)
           AND NOT EXISTS (
             SELECT FROM outbox_pending l WHERE NOT l.bulk AND l.aggregate_id = p.aggregate_id AND l.seq < p.seq)
         ORDER BY p.seq LIMIT $2",
        shards,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(batch)
}

/// Injected fault: at most `limit` events of the journal after a sequence number, pending or not.
pub(crate) async fn after(tx: &mut Tx, seq: i64, limit: i64) -> Result<Vec<Pending>, Error> {
    let batch = sqlx::query_as!(
        Pending,
        r#"SELECT seq, 0 AS "attempts!", account_id, occurred_at, event_id, aggregate_id, aggregate_version, type, subject,
             headers, payload
           FROM event_journal WHERE seq > $1 ORDER BY seq LIMIT $2"#,
        seq,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(batch)
}

/// Injected fault: pending events that no other relay has locked, in random order.
pub(crate) async fn any(tx: &mut Tx) -> Result<Vec<Pending>, Error> {
    let batch = sqlx::query_as!(
        Pending,
        "SELECT p.seq, p.attempts, j.account_id, j.occurred_at, j.event_id, j.aggregate_id, j.aggregate_version, j.type,
           j.subject, j.headers, j.payload
         FROM outbox_pending p JOIN event_journal j ON j.seq = p.seq AND j.occurred_at = p.occurred_at
         ORDER BY md5(p.seq::text) LIMIT 20 FOR UPDATE OF p SKIP LOCKED",
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(batch)
}
