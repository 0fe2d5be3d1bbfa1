//! Consumes events: passes each to its handler, and acknowledges it after its effect is committed.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PriorityPolicy};
use async_nats::jetstream::{AckKind, Message};
use cosell_store::{Db, Scope};
use cosell_telemetry::{metrics, propagate};
use cosell_types::{Clock, random};
use futures::{FutureExt as _, StreamExt as _};
use opentelemetry::KeyValue;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, field, info_span};
use uuid::Uuid;

use crate::guard::{self, ClaimOutcome};
use crate::outbox::shard;
use crate::sabotage::crash_point_of;
use crate::{Bus, Delivery, Handler, HandlerError, Sabotage};

/// Time after which the broker redelivers an unacknowledged event.
const ACK_WAIT: Duration = Duration::from_secs(10);
/// Unlimited: postponed events count as pending, so that with a limit they could block the delivery of the event that
/// they wait for. Pull size and lanes limit the events in flight.
const MAX_ACK_PENDING: i64 = -1;
/// Duration of a pull; well below the pin timeout, so that the pin is not lost between two pulls.
const PULL_TIMEOUT: Duration = Duration::from_secs(1);
/// Time after which the broker unpins an inactive client and pins another one.
const PIN_TIMEOUT: Duration = Duration::from_secs(3);
const GROUP: &str = "one";
/// Attempts at an event whose handler fails with [`HandlerError::Bug`].
const MAX_BUG_ATTEMPTS: u32 = 5;
/// Maximum delay of a redelivery.
const MAX_REDELIVERY_DELAY: Duration = Duration::from_secs(5);

/// The consumer of one context's events in a service.
pub struct Consumer<H> {
    inner: Arc<Inner<H>>,
}

struct Inner<H> {
    db: Db,
    bus: Bus,
    /// `<service>-<context>`: the name of the durable, and of the consumer in the tables inbox and aggregate_cursor.
    name: String,
    context: &'static str,
    handler: H,
    clock: Clock,
    sabotage: Sabotage,
    /// Failed attempts by event id. Only in memory: a restart grants further attempts.
    attempts: Mutex<HashMap<Uuid, u32>>,
}

impl<H: Handler> Consumer<H> {
    /// Creates the consumer `<service>-<context>`. `db` is the events pool of the service.
    pub fn new(db: Db, bus: Bus, service: &str, context: &'static str, handler: H, clock: Clock) -> Self {
        let name = format!("{service}-{context}");
        let (sabotage, attempts) = (Sabotage::None, Mutex::default());
        Self {
            inner: Arc::new(Inner {
                db,
                bus,
                name,
                context,
                handler,
                clock,
                sabotage,
                attempts,
            }),
        }
    }

    /// Injects a fault; without effect in other builds than that for fault injection.
    #[must_use]
    pub fn with_sabotage(mut self, sabotage: Sabotage) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.sabotage = sabotage;
        }
        self
    }

    /// Applies events until `stop` is cancelled, then finishes those in flight.
    pub async fn run(self, stop: CancellationToken) {
        let mut failures = 0_u32;
        while !stop.is_cancelled() {
            let mut received = 0;
            let Err(error) = self.inner.clone().consume(&stop, &mut received).await else {
                continue;
            };
            failures = if received > 0 { 1 } else { failures + 1 };
            let consumer = &self.inner.name;
            tracing::warn!(
                error = format!("{error:#}"),
                failures,
                consumer,
                "consuming failed; retrying"
            );
            let pause = Duration::from_millis(50).saturating_mul(1 << failures.min(6));
            tokio::select! {
                () = tokio::time::sleep(pause.mul_f64(random::jitter())) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

impl<H: Handler> Inner<H> {
    /// Consumes until `stop` is cancelled or pulling fails. Counts the messages in `received`.
    async fn consume(self: Arc<Self>, stop: &CancellationToken, received: &mut u64) -> anyhow::Result<()> {
        // While NATS is unavailable this waits; shutdown must not.
        tokio::select! {
            created = self.bus.ensure_stream(self.context) => created.context("creating the stream")?,
            () = stop.cancelled() => return Ok(()),
        }
        let stream = self
            .bus
            .jetstream
            .get_stream_no_info(Bus::stream_name(self.context))
            .await?;
        let config = Config {
            durable_name: Some(self.name.clone()),
            filter_subject: format!("cosell.{}.v1.>", self.context),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: MAX_ACK_PENDING,
            max_deliver: -1,
            priority_policy: PriorityPolicy::PinnedClient,
            priority_groups: vec![GROUP.to_owned()],
            priority_timeout: PIN_TIMEOUT,
            metadata: HashMap::from([(Bus::CONTEXT_KEY.to_owned(), self.context.to_owned())]),
            ..Config::default()
        };
        let consumer = stream
            .create_consumer(config)
            .await
            .context("creating the consumer")?;
        let mut messages = consumer
            .stream()
            .group(GROUP)
            .max_messages_per_batch(64)
            .expires(PULL_TIMEOUT)
            .heartbeat(PULL_TIMEOUT / 2)
            .messages()
            .await
            .context("pulling messages")?;

        // Each lane processes its events sequentially. All events of an aggregate are in one lane, so that they stay in
        // order.
        let mut lanes = JoinSet::new();
        let mut senders = Vec::new();
        for _ in 0..crate::outbox::SHARDS {
            let (sender, mut receiver) = mpsc::channel::<Message>(64);
            let inner = self.clone();
            senders.push(sender);
            lanes.spawn(async move {
                while let Some(message) = receiver.recv().await {
                    inner.process(message).await;
                }
            });
        }
        let result = loop {
            let message = tokio::select! {
                message = messages.next() => message,
                () = stop.cancelled() => break Ok(()),
            };
            match message {
                Some(Ok(message)) => {
                    *received += 1;
                    let lane = usize::from(shard(aggregate_of(&message)).unsigned_abs());
                    if senders[lane].send(message).await.is_err() {
                        break Err(anyhow::anyhow!("a lane ended unexpectedly"));
                    }
                }
                Some(Err(error)) => break Err(error.into()),
                None => break Err(anyhow::anyhow!("the stream of messages ended")),
            }
        };
        drop(messages);
        drop(senders);
        while lanes.join_next().await.is_some() {}
        if stop.is_cancelled() {
            // Lets another client take over without waiting for the pin timeout.
            let _ =
                tokio::time::timeout(Duration::from_secs(1), stream.unpin_consumer(&self.name, GROUP)).await;
        }
        result
    }

    async fn process(&self, message: Message) {
        let subject = message.subject.to_string();
        let delivery = match Delivery::read(&subject, message.headers.as_ref(), message.payload.clone()) {
            Ok(delivery) => delivery,
            Err(missing) => {
                // Not published by a service of cosell. No event can depend on it, so it is dropped.
                tracing::error!(
                    subject,
                    missing,
                    consumer = self.name,
                    "message without a valid envelope dropped"
                );
                acknowledge(&message).await;
                return;
            }
        };
        let span = info_span!(
            "event",
            otel.kind = "consumer",
            otel.name = %delivery.type_name,
            messaging.system = "nats",
            messaging.consumer.group.name = %self.name,
            event_id = %delivery.event_id,
            aggregate_id = %delivery.aggregate_id,
            version = delivery.version,
            trace_id = field::Empty,
            request_id = %delivery.request_id,
        );
        let producer = propagate::from_traceparent(delivery.traceparent.as_deref());
        span.record("trace_id", propagate::set_remote_parent(&span, &producer));
        propagate::link(&span, &producer);

        let started = tokio::time::Instant::now();
        let handled = AssertUnwindSafe(self.handle(&message, &delivery))
            .catch_unwind()
            .instrument(span.clone())
            .await;
        let outcome = handled.unwrap_or_else(|_| Err(HandlerError::Bug("the handler panicked".to_owned())));
        let label = match &outcome {
            Ok(ClaimOutcome::Next) => "applied",
            Ok(ClaimOutcome::AlreadyApplied) => "duplicate",
            Ok(ClaimOutcome::Early) => "early",
            Ok(ClaimOutcome::Parked) => "parked",
            Err(_) => "failed",
        };
        self.finish(&message, &delivery, outcome).instrument(span).await;
        let labels = [
            KeyValue::new(
                "messaging.destination.template",
                format!("cosell.{}.v1", self.context),
            ),
            KeyValue::new("messaging.consumer.group.name", self.name.clone()),
            KeyValue::new("outcome", label),
        ];
        metrics::PROCESS_DURATION.record(started.elapsed().as_secs_f64(), &labels);
    }

    async fn handle(&self, message: &Message, delivery: &Delivery) -> Result<ClaimOutcome, HandlerError> {
        // An optimization: skips `prepare` for an event that cannot be applied now. The claim below decides.
        let expected = guard::peek(&self.db, &self.name, delivery).await?;
        if expected != ClaimOutcome::Next && !self.sabotage.is(Sabotage::NoGuard) {
            return Ok(expected);
        }
        let prepared = self.handler.prepare(delivery).await?;
        if self.sabotage.is(Sabotage::AckFirst) {
            acknowledge(message).await;
        }
        let mut tx = self.db.tx(&Scope::account(&delivery.account)).await?;
        let claim = guard::claim(&mut tx, &self.name, delivery, self.sabotage).await?;
        if claim == ClaimOutcome::Next {
            self.handler.apply(&mut tx, delivery, prepared).await?;
            tx.commit().await?;
            crash_point_of("consumer-committed", &self.name);
        }
        Ok(claim)
    }

    async fn finish(
        &self,
        message: &Message,
        delivery: &Delivery,
        outcome: Result<ClaimOutcome, HandlerError>,
    ) {
        let consumer = KeyValue::new("consumer", self.name.clone());
        match outcome {
            Ok(ClaimOutcome::Next) => {
                let delay = (self.clock.now() - delivery.time).as_seconds_f64();
                metrics::APPLY_DELAY.record(delay, &[consumer]);
                tracing::debug!("event applied");
                self.reset_attempts(delivery);
                acknowledge(message).await;
            }
            Ok(ClaimOutcome::AlreadyApplied) => {
                metrics::INBOX_DUPLICATES.add(1, &[consumer]);
                acknowledge(message).await;
            }
            Ok(ClaimOutcome::Early) => {
                metrics::GAP_WAITS.add(1, &[consumer]);
                postpone(message).await;
            }
            Ok(ClaimOutcome::Parked) => {
                self.park(message, delivery, "parked", "an earlier event is a dead letter")
                    .await;
            }
            Err(HandlerError::Transient(error)) => {
                tracing::warn!(error, "transient error; event postponed");
                postpone(message).await;
            }
            Err(HandlerError::Permanent(error)) => {
                tracing::error!(error, "permanent error; event moved to the dead letters");
                self.park(message, delivery, "permanent", &error).await;
            }
            Err(HandlerError::Bug(error)) => {
                let attempt = self.count_attempt(delivery);
                tracing::error!(error, attempt, "event handler failed");
                if attempt < MAX_BUG_ATTEMPTS {
                    postpone(message).await;
                } else {
                    self.park(message, delivery, "bug", &error).await;
                }
            }
        }
    }

    async fn park(&self, message: &Message, delivery: &Delivery, class: &'static str, error: &str) {
        let attempts = message.info().map_or(0, |info| info.delivered);
        let cause = guard::ParkCause {
            class,
            error,
            attempts,
        };
        match guard::park(&self.db, &self.name, delivery, cause).await {
            Ok(true) => {
                self.reset_attempts(delivery);
                acknowledge(message).await;
            }
            Ok(false) => postpone(message).await,
            Err(failure) => {
                tracing::warn!(%failure, "storing the dead letter failed; event postponed");
                postpone(message).await;
            }
        }
    }

    fn count_attempt(&self, delivery: &Delivery) -> u32 {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = attempts.entry(delivery.event_id).or_default();
        *count += 1;
        *count
    }

    fn reset_attempts(&self, delivery: &Delivery) {
        self.attempts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&delivery.event_id);
    }
}

/// The token `<aggregate>` of a subject `cosell.<context>.v1.<account>.<aggregate>.<event>`.
fn aggregate_of(message: &Message) -> &str {
    message.subject.as_str().split('.').nth(4).unwrap_or_default()
}

/// Acknowledges the message. If that fails, the broker redelivers it, and the inbox recognizes it.
async fn acknowledge(message: &Message) {
    if let Err(error) = message.double_ack().await {
        tracing::debug!(%error, "acknowledging failed; the event will be redelivered");
    }
}

/// Requests redelivery, with a delay that grows with the number of deliveries.
async fn postpone(message: &Message) {
    let delivered = message.info().map_or(1, |info| info.delivered).clamp(1, 8);
    let delay = Duration::from_millis(25 << delivered).min(MAX_REDELIVERY_DELAY);
    if let Err(error) = message.ack_with(AckKind::Nak(Some(delay))).await {
        tracing::debug!(%error, "postponing failed; the event will be redelivered");
    }
}
