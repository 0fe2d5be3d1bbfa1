//! The outbox: appends events in the transaction of the change. The relay publishes them.

use cosell_store::{Error, Tx};
use cosell_telemetry::propagate;
use serde_json::json;

use crate::Event;

/// Number of shards of a service's events; one relay at a time publishes the events of a shard.
pub(crate) const SHARDS: i16 = 4;

/// The priority at which events are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Immediately.
    Live,
    /// After live events, and no faster than consumers apply them: for bulk changes of thousands of records.
    Bulk,
}

/// Appends an event to the journal and marks it as pending. Must be called after the aggregate's row is written in the
/// same transaction: the lock on the row ensures that the events of an aggregate are in the order of its versions.
pub async fn append(tx: &mut Tx, event: &Event) -> Result<(), Error> {
    append_all(tx, std::slice::from_ref(event), Lane::Live).await
}

/// Appends several events in order, in one statement. As with [`append`], their aggregates' rows must be written
/// before.
pub async fn append_all(tx: &mut Tx, events: &[Event], lane: Lane) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    let traceparent = propagate::traceparent();
    let headers = events.iter().map(|event| {
        json!({
            "actor": event.actor,
            "request_id": event.request_id,
            "traceparent": traceparent,
        })
    });
    let texts = |text: fn(&Event) -> &str| {
        events
            .iter()
            .map(|event| text(event).to_owned())
            .collect::<Vec<_>>()
    };
    sqlx::query!(
        "WITH event AS (
           SELECT nextval('event_seq') AS seq, given.*
           FROM unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::text[],
             $8::text[], $9::jsonb[], $10::bytea[], $11::smallint[])
             AS given (account_id, occurred_at, event_id, aggregate_type, aggregate_id, aggregate_version, type,
               subject, headers, payload, shard)),
         journal AS (
           INSERT INTO event_journal (account_id, occurred_at, event_id, seq, aggregate_type, aggregate_id,
             aggregate_version, type, subject, headers, payload, shard)
           SELECT account_id, occurred_at, event_id, seq, aggregate_type, aggregate_id, aggregate_version, type,
             subject, headers, payload, shard FROM event)
         INSERT INTO outbox_pending (seq, occurred_at, shard, aggregate_id, bulk)
         SELECT seq, occurred_at, shard, aggregate_id, $12 FROM event",
        &texts(|event| event.account.as_str()),
        &events.iter().map(|event| event.time).collect::<Vec<_>>(),
        &events.iter().map(|event| event.event_id).collect::<Vec<_>>(),
        &texts(|event| event.aggregate_type),
        &texts(|event| &event.aggregate_id),
        &events.iter().map(|event| event.version).collect::<Vec<_>>(),
        &texts(|event| &event.type_name),
        &texts(|event| &event.subject),
        &headers.collect::<Vec<_>>(),
        &events.iter().map(|event| event.payload.clone()).collect::<Vec<_>>(),
        &events
            .iter()
            .map(|event| shard(&event.aggregate_id))
            .collect::<Vec<_>>(),
        lane == Lane::Bulk,
    )
    .execute(tx.conn())
    .await?;
    tx.mark_events_appended();
    Ok(())
}

/// The shard of an aggregate's events. FNV-1a is stable across versions and machines, unlike the hashers of `std`.
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
    fn shard_is_stable_and_all_shards_are_used() {
        let shards: Vec<_> = (0..32).map(|number| shard(&format!("O{number}"))).collect();
        assert_eq!(shard("O1"), shard("O1"));
        for expected in 0..SHARDS {
            assert!(
                shards.contains(&expected),
                "none of 32 aggregates is in shard {expected}"
            );
        }
    }
}
