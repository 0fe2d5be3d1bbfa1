//! Events out, first half: written with the change that they tell of.

use cosell_store::{Error, Tx};
use cosell_telemetry::propagate;
use serde_json::json;

use crate::Event;

/// How many shards the events of a service fall into; each is published by one relay at a time.
pub(crate) const SHARDS: i16 = 4;

/// Appends an event to the journal and marks it as pending. To be called after the aggregate's row was written in
/// the same transaction: the row's lock is what makes the order of an aggregate's events the order of its versions.
pub async fn append(tx: &mut Tx, event: &Event) -> Result<(), Error> {
    let headers = json!({
        "actor": event.actor,
        "request_id": event.request_id,
        "traceparent": propagate::traceparent(),
    });
    sqlx::query!(
        "WITH next AS (SELECT nextval('event_seq') AS seq),
         journal AS (
           INSERT INTO event_journal (account_id, occurred_at, event_id, seq, aggregate_type, aggregate_id,
             aggregate_version, type, subject, headers, payload, shard)
           SELECT $1, $2, $3, seq, $4, $5, $6, $7, $8, $9, $10, $11 FROM next)
         INSERT INTO outbox_pending (seq, occurred_at, shard, aggregate_id) SELECT seq, $2, $11, $5 FROM next",
        event.account.as_str(),
        event.time,
        event.event_id,
        event.aggregate_type,
        event.aggregate_id,
        event.version,
        event.type_name,
        event.subject,
        headers,
        event.payload,
        shard(&event.aggregate_id),
    )
    .execute(tx.conn())
    .await?;
    tx.has_events();
    Ok(())
}

/// All events of an aggregate fall into one shard. FNV-1a: stable over versions and machines, unlike std's hashes.
pub(crate) fn shard(aggregate_id: &str) -> i16 {
    let hash = aggregate_id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    i16::try_from(hash % SHARDS.unsigned_abs() as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_stable_and_all_used() {
        let shards: Vec<_> = (0..32).map(|number| shard(&format!("O{number}"))).collect();
        assert_eq!(shard("O1"), shard("O1"));
        for wanted in 0..SHARDS {
            assert!(
                shards.contains(&wanted),
                "no aggregate of 32 falls into shard {wanted}"
            );
        }
    }
}
