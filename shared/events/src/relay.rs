//! The relay: publishes the pending events of each shard in order, in the one process that holds the lease of the
//! shard.

use std::collections::HashSet;
use std::future::IntoFuture as _;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Subscriber;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use chrono::SecondsFormat;
use cosell_grpc::Failure;
use cosell_store::{Db, Error, Scope, Tx};
use cosell_telemetry::metrics;
use cosell_types::{Clock, random};
use futures::StreamExt as _;
use opentelemetry::KeyValue;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::delivery::names;
use crate::outbox::SHARDS;
use crate::pending::{self, Pending};
use crate::sabotage::crash_point;
use crate::{Bus, Sabotage};

/// Duration of a lease; it is renewed after a third of it.
const LEASE: Duration = Duration::from_secs(3);
/// Interval of a look at the outbox without a notification, in case that one was lost.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// Pause between batches of bulk events.
const BULK_PAUSE: Duration = Duration::from_millis(50);
/// Interval of the metrics.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// Maximum live events in a batch.
const BATCH: i64 = 200;
/// Maximum bulk events in a batch.
const BULK_BATCH: i64 = 100;
/// A batch of bulk events is published when no consumer of the platform has a larger backlog than this, at the latest
/// after the interval, so that a stopped consumer does not block them.
const MAX_BULK_BACKLOG: u64 = 100;
const MAX_BULK_INTERVAL: Duration = Duration::from_secs(1);
/// Backoff after the first failure; doubled with each further failure up to the maximum.
const MIN_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Publishes the events of one service.
pub struct Relay {
    db: Db,
    bus: Bus,
    context: &'static str,
    owner: String,
    committed: Arc<Notify>,
    clock: Clock,
    sabotage: Sabotage,
    cursor: i64,
    bulk_at: Instant,
}

impl Relay {
    /// Creates the relay of a context. `db` is the worker pool; `committed` is notified of commits in this process.
    pub fn new(db: Db, bus: Bus, context: &'static str, committed: Arc<Notify>, clock: Clock) -> Self {
        let owner = random::uuid(clock.now()).to_string();
        Self {
            db,
            bus,
            context,
            owner,
            committed,
            clock,
            sabotage: Sabotage::None,
            cursor: 0,
            bulk_at: Instant::now(),
        }
    }

    /// Injects a fault; without effect in other builds than that for fault injection.
    #[must_use]
    pub fn with_sabotage(mut self, sabotage: Sabotage) -> Self {
        self.sabotage = sabotage;
        self
    }

    /// Publishes until `stop` is cancelled, then releases its leases.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut failures = 0_u32;
        let mut stream_exists = false;
        let mut renew_at = Instant::now();
        let mut report_at = Instant::now();
        let mut held = Vec::new();
        // Commits of other processes, whose relays hold other shards.
        let mut wake_ups = self.bus.wake_ups(self.context).await;
        while !stop.is_cancelled() {
            let iteration = async {
                if Instant::now() >= renew_at {
                    held = self.acquire().await?;
                    renew_at = Instant::now() + LEASE / 3;
                }
                if Instant::now() >= report_at {
                    self.report(held.len()).await?;
                    report_at = Instant::now() + REPORT_INTERVAL;
                }
                if !stream_exists {
                    // While NATS is unavailable this waits; shutdown must not.
                    tokio::select! {
                        created = self.bus.ensure_stream(self.context) => created?,
                        () = stop.cancelled() => return Ok(POLL_INTERVAL),
                    }
                    stream_exists = true;
                }
                self.drain(&held, &stop).await
            };
            let pause = match iteration.await {
                Ok(pause) => {
                    failures = 0;
                    pause.min(renew_at.saturating_duration_since(Instant::now()))
                }
                Err(error) => {
                    failures += 1;
                    // The stream may be missing, because the broker has lost its store.
                    stream_exists = false;
                    tracing::warn!(
                        error = format!("{error:#}"),
                        failures,
                        context = self.context,
                        "publishing failed; retrying"
                    );
                    MIN_BACKOFF
                        .saturating_mul(1 << failures.min(7))
                        .min(MAX_BACKOFF)
                        .mul_f64(random::jitter())
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.committed.notified(), if failures == 0 => {
                    if held.len() < usize::from(SHARDS.unsigned_abs()) {
                        self.bus.wake(self.context).await;
                    }
                }
                () = next_of(&mut wake_ups), if failures == 0 => {}
                () = stop.cancelled() => {}
            }
        }
        if let Err(error) = self.release().await {
            tracing::debug!(
                error = format!("{error:#}"),
                "releasing the leases failed; they will expire"
            );
        }
    }

    /// Acquires free leases and renews its own; returns all that it holds, with their epochs.
    async fn acquire(&self) -> anyhow::Result<Vec<(i16, i64)>> {
        if self.sabotage.is(Sabotage::SkipLocked) {
            return Ok((0..SHARDS).map(|shard| (shard, 0)).collect());
        }
        let mut tx = self.begin().await?;
        let held = sqlx::query!(
            "INSERT INTO relay_lease AS lease (shard, owner, epoch, expires_at)
             SELECT shard::smallint, $1, 1, clock_timestamp() + make_interval(secs => $2)
             FROM generate_series(0, $3 - 1) AS shard ORDER BY shard
             ON CONFLICT (shard) DO UPDATE SET owner = $1, expires_at = excluded.expires_at,
               epoch = lease.epoch + CASE WHEN lease.owner = $1 THEN 0 ELSE 1 END
             WHERE lease.owner = $1 OR lease.expires_at < clock_timestamp()
             RETURNING shard, epoch",
            self.owner,
            LEASE.as_secs_f64(),
            i32::from(SHARDS),
        )
        .fetch_all(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(held.into_iter().map(|row| (row.shard, row.epoch)).collect())
    }

    async fn release(&self) -> anyhow::Result<()> {
        let mut tx = self.begin().await?;
        sqlx::query!(
            "UPDATE relay_lease SET expires_at = '-infinity' WHERE owner = $1",
            self.owner
        )
        .execute(tx.conn())
        .await?;
        Ok(tx.commit().await?)
    }

    /// Publishes a batch of live events, and one of bulk events if it is due. Returns the pause before the next look.
    async fn drain(&mut self, held: &[(i16, i64)], stop: &CancellationToken) -> anyhow::Result<Duration> {
        if held.is_empty() {
            return Ok(POLL_INTERVAL);
        }
        let shards: Vec<_> = held.iter().map(|(shard, _)| *shard).collect();
        // No transaction is open while events are sent to the broker.
        let (live, bulk) = self.read(&shards).await?;
        let pause = match (live.len(), bulk.len()) {
            (live, _) if live as i64 >= BATCH => Duration::ZERO,
            (_, 0) if !self.is_sabotaged() => POLL_INTERVAL,
            _ => BULK_PAUSE,
        };
        self.publish(live, held, stop).await?;
        if !bulk.is_empty() && self.is_bulk_due().await? {
            self.publish(bulk, held, stop).await?;
            self.bulk_at = Instant::now();
        }
        Ok(pause)
    }

    /// Whether events are read in another way, without an end.
    fn is_sabotaged(&self) -> bool {
        self.sabotage.is(Sabotage::SequenceCursor) || self.sabotage.is(Sabotage::SkipLocked)
    }

    /// The next live events, and the next bulk events.
    async fn read(&mut self, shards: &[i16]) -> Result<(Vec<Pending>, Vec<Pending>), Failure> {
        let mut tx = self.db.tx(&Scope::work()).await?;
        Ok(match self.sabotage {
            Sabotage::SequenceCursor => {
                let batch = pending::after(&mut tx, self.cursor, BATCH).await?;
                self.cursor = batch.last().map_or(self.cursor, |event| event.seq);
                (batch, Vec::new())
            }
            Sabotage::SkipLocked => (pending::any(&mut tx).await?, Vec::new()),
            _ => (
                pending::live(&mut tx, shards, BATCH).await?,
                pending::bulk(&mut tx, shards, BULK_BATCH).await?,
            ),
        })
    }

    async fn begin(&self) -> anyhow::Result<Tx> {
        let tx = self.db.tx(&Scope::work()).await;
        Ok(tx.map_err(Failure::from)?)
    }

    async fn is_bulk_due(&self) -> anyhow::Result<bool> {
        Ok(self.bulk_at.elapsed() >= MAX_BULK_INTERVAL
            || self.bus.backlog(self.context).await? <= MAX_BULK_BACKLOG)
    }

    /// Publishes events and removes the acknowledged ones from the outbox.
    async fn publish(
        &mut self,
        batch: Vec<Pending>,
        held: &[(i16, i64)],
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        crash_point("relay-read");
        let mut acknowledgements = Vec::with_capacity(batch.len());
        let mut unsent: HashSet<&str> = HashSet::new();
        for event in &batch {
            // After an unsent event, later events of its aggregate are not sent.
            if unsent.contains(event.aggregate_id.as_str()) {
                continue;
            }
            let message = self.message(event);
            let jetstream = &self.bus.jetstream;
            let sent = jetstream.send_publish(event.subject.clone(), message).await;
            if sent.is_err() {
                unsent.insert(&event.aggregate_id);
            }
            acknowledgements.push((event, sent));
        }
        let mut published = Vec::with_capacity(batch.len());
        let mut failed = None;
        let mut blocked: HashSet<&str> = HashSet::new();
        for (event, acknowledgement) in acknowledgements {
            if blocked.contains(event.aggregate_id.as_str()) {
                continue;
            }
            let outcome = match acknowledgement {
                Ok(pending) => tokio::select! {
                    outcome = pending.into_future() => outcome,
                    // Unacknowledged events are published again by the next holder of the lease.
                    () = stop.cancelled() => break,
                },
                Err(error) => Err(error),
            };
            match outcome {
                Ok(ack) => {
                    // A previous relay published the event, but did not remove it from the outbox.
                    if ack.duplicate {
                        metrics::PUBLISH_DUPLICATES.add(1, &[KeyValue::new("context", self.context)]);
                    }
                    published.push(event.seq);
                }
                Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    self.block(event, &error.to_string()).await?;
                    blocked.insert(&event.aggregate_id);
                }
                // Later events may be stored by the broker, but are published again after this one, to preserve the
                // order.
                Err(error) => {
                    failed = Some((event.seq, error));
                    break;
                }
            }
        }
        crash_point("relay-published");
        metrics::PUBLISHED.add(published.len() as u64, &[KeyValue::new("context", self.context)]);
        self.remove_published(&published, held).await?;
        if let Some((seq, error)) = failed {
            self.count_attempt(seq).await?;
            return Err(error.into());
        }
        Ok(())
    }

    /// Encodes an event as CloudEvents 1.0 in binary mode. The broker deduplicates by the message id.
    fn message(&self, event: &Pending) -> PublishMessage {
        let text = |name: &str| {
            event
                .headers
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let mut message = PublishMessage::build()
            .message_id(event.event_id.to_string())
            .expected_stream(Bus::stream_name(self.context))
            .payload(event.payload.clone().into())
            .header("ce-specversion", "1.0")
            .header("ce-source", format!("/cosell/{}", self.context))
            .header("ce-datacontenttype", "application/protobuf")
            .header(names::ID, event.event_id.to_string())
            .header(names::TYPE, event.r#type.as_str())
            .header(names::SUBJECT, event.aggregate_id.as_str())
            .header(
                names::TIME,
                event.occurred_at.to_rfc3339_opts(SecondsFormat::Micros, true),
            )
            .header(names::SEQUENCE, event.aggregate_version.to_string())
            .header(names::ACCOUNT, event.account_id.as_str())
            .header(names::ACTOR, text("actor"))
            .header(names::REQUEST, text("request_id"));
        if let Some(traceparent) = event.headers.get("traceparent").and_then(Value::as_str) {
            message = message.header(names::TRACEPARENT, traceparent);
        }
        message
    }

    /// Removes published events from the outbox if the leases still have the epochs under which the events were read: a
    /// relay whose lease was taken over cannot remove events that its successor has yet to publish.
    async fn remove_published(&self, published: &[i64], held: &[(i16, i64)]) -> anyhow::Result<()> {
        let (shards, epochs): (Vec<i16>, Vec<i64>) = held.iter().copied().unzip();
        let mut tx = self.begin().await?;
        if self.sabotage.is(Sabotage::SkipLocked) || self.sabotage.is(Sabotage::SequenceCursor) {
            sqlx::query!("DELETE FROM outbox_pending WHERE seq = ANY($1)", published)
                .execute(tx.conn())
                .await?;
        } else {
            sqlx::query!(
                "DELETE FROM outbox_pending p USING relay_lease l, unnest($2::smallint[], $3::bigint[]) AS h (shard, epoch)
                 WHERE p.seq = ANY($1) AND l.shard = p.shard AND h.shard = p.shard AND l.epoch = h.epoch AND l.owner = $4",
                published,
                &shards,
                &epochs,
                self.owner,
            )
            .execute(tx.conn())
            .await?;
        }
        Ok(tx.commit().await?)
    }

    async fn count_attempt(&self, seq: i64) -> anyhow::Result<()> {
        let mut tx = self.begin().await?;
        sqlx::query!(
            "UPDATE outbox_pending SET attempts = attempts + 1 WHERE seq = $1",
            seq
        )
        .execute(tx.conn())
        .await?;
        Ok(tx.commit().await?)
    }

    /// Blocks an event that the broker refuses permanently, and with it later events of its aggregate, for an operator.
    async fn block(&self, event: &Pending, error: &str) -> anyhow::Result<()> {
        tracing::error!(event_id = %event.event_id, error, "event refused by the broker; its aggregate is blocked");
        let mut tx = self.begin().await?;
        sqlx::query!(
            "UPDATE outbox_pending SET blocked = true WHERE seq = $1",
            event.seq
        )
        .execute(tx.conn())
        .await?;
        sqlx::query!(
            "INSERT INTO dead_letter (account_id, consumer, event_id, aggregate_id, aggregate_version, type, subject,
               headers, payload, error_class, error, attempts)
             VALUES ($1, 'relay', $2, $3, $4, $5, $6, $7, $8, 'refused', $9, $10)
             ON CONFLICT (account_id, consumer, event_id) DO UPDATE SET resolved_at = NULL",
            event.account_id,
            event.event_id,
            event.aggregate_id,
            event.aggregate_version,
            event.r#type,
            event.subject,
            event.headers,
            event.payload,
            error,
            i64::from(event.attempts),
        )
        .execute(tx.conn())
        .await?;
        Ok(tx.commit().await?)
    }

    async fn report(&self, held: usize) -> anyhow::Result<()> {
        let mut tx = self.begin().await?;
        let row = sqlx::query!(
            "SELECT count(*) FILTER (WHERE NOT bulk) AS \"live!\", count(*) FILTER (WHERE bulk) AS \"bulk!\",
                   min(occurred_at) FILTER (WHERE NOT bulk) AS oldest FROM outbox_pending"
        )
        .fetch_one(tx.conn())
        .await
        .map_err(Error::from)
        .map_err(Failure::from)?;
        let labels = [KeyValue::new("context", self.context)];
        let age = row
            .oldest
            .map_or(0.0, |oldest| (self.clock.now() - oldest).as_seconds_f64());
        for (lane, count) in [("live", row.live), ("bulk", row.bulk)] {
            let labels = [labels[0].clone(), KeyValue::new("lane", lane)];
            metrics::OUTBOX_PENDING.record(count, &labels);
        }
        metrics::OUTBOX_OLDEST_AGE.record(age, &labels);
        metrics::LEASES_HELD.record(held as i64, &labels);
        Ok(())
    }
}

/// Waits for the next wake-up; for ever if there are no more.
async fn next_of(wake_ups: &mut Option<Subscriber>) {
    if let Some(subscriber) = wake_ups
        && subscriber.next().await.is_some()
    {
        return;
    }
    std::future::pending().await
}
