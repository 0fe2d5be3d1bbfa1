//! Events in: each is handed to its handler, and acknowledged only when its effect is committed.

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

use crate::guard::{self, Verdict};
use crate::outbox::shard;
use crate::sabotage::crash_point_of;
use crate::{Bus, Delivery, Fault, Handler, Sabotage};

/// Longest that an event may be in hand before the broker delivers it again.
const ACK_WAIT: Duration = Duration::from_secs(10);
/// Without a limit: an event that waits for an earlier one counts, so that with a limit those that wait could keep out
/// what they wait for. What is in hand here is limited by pulls and lanes.
const IN_HAND: i64 = -1;
/// One pull; well below the pin, or the pin is lost between two pulls.
const PULL: Duration = Duration::from_secs(1);
/// How long the broker waits for a silent worker before another one takes over.
const PIN: Duration = Duration::from_secs(3);
const GROUP: &str = "one";
/// How often an event that should have worked is tried.
const BUG_ATTEMPTS: u32 = 5;
/// Longest pause before an event is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Applies the events of one context to another.
pub struct Consumer<H> {
    inner: Arc<Inner<H>>,
}

struct Inner<H> {
    db: Db,
    bus: Bus,
    /// `<service>-<context>`: the durable's name, and the consumer's in inbox and cursor.
    name: String,
    context: &'static str,
    handler: H,
    clock: Clock,
    sabotage: Sabotage,
    /// Attempts at events that should have worked. In memory: a restart grants a few more.
    attempts: Mutex<HashMap<Uuid, u32>>,
}

impl<H: Handler> Consumer<H> {
    /// A consumer of a service for the events of a context.
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

    /// Builds a fault in, where the build has them.
    #[must_use]
    pub fn sabotaged(mut self, sabotage: Sabotage) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.sabotage = sabotage;
        }
        self
    }

    /// Applies events until told to stop; then finishes those in hand.
    pub async fn run(self, stop: CancellationToken) {
        let mut failures = 0_u32;
        while !stop.is_cancelled() {
            let mut taken = 0;
            let Err(error) = self.inner.clone().pull(&stop, &mut taken).await else {
                continue;
            };
            failures = if taken > 0 { 1 } else { failures + 1 };
            let consumer = &self.inner.name;
            tracing::warn!(
                error = format!("{error:#}"),
                failures,
                consumer,
                "consuming was interrupted"
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
    /// Pulls until told to stop or until the stream of messages ends, and counts what comes.
    async fn pull(self: Arc<Self>, stop: &CancellationToken, taken: &mut u64) -> anyhow::Result<()> {
        // Waits long for a bus that is not there; the end of the process must not.
        tokio::select! {
            made = self.bus.ensure_stream(self.context) => made.context("making the stream")?,
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
            max_ack_pending: IN_HAND,
            max_deliver: -1,
            priority_policy: PriorityPolicy::PinnedClient,
            priority_groups: vec![GROUP.to_owned()],
            priority_timeout: PIN,
            metadata: HashMap::from([(Bus::PLATFORM.to_owned(), self.context.to_owned())]),
            ..Config::default()
        };
        let consumer = stream
            .create_consumer(config)
            .await
            .context("making the consumer")?;
        let mut messages = consumer
            .stream()
            .group(GROUP)
            .max_messages_per_batch(64)
            .expires(PULL)
            .heartbeat(PULL / 2)
            .messages()
            .await
            .context("pulling")?;

        // Aggregates are spread over lanes: events of one wait for each other, others do not wait for them.
        let mut lanes = JoinSet::new();
        let mut entrances = Vec::new();
        for _ in 0..crate::outbox::SHARDS {
            let (entrance, mut exit) = mpsc::channel::<Message>(64);
            let inner = self.clone();
            entrances.push(entrance);
            lanes.spawn(async move {
                while let Some(message) = exit.recv().await {
                    inner.take(message).await;
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
                    *taken += 1;
                    let lane = usize::from(shard(aggregate_of(&message)).unsigned_abs());
                    if entrances[lane].send(message).await.is_err() {
                        break Err(anyhow::anyhow!("a lane has ended"));
                    }
                }
                Some(Err(error)) => break Err(error.into()),
                None => break Err(anyhow::anyhow!("the stream of messages ended")),
            }
        };
        drop(messages);
        drop(entrances);
        while lanes.join_next().await.is_some() {}
        if stop.is_cancelled() {
            // Whoever comes next need not wait for the pin to run out.
            let _ =
                tokio::time::timeout(Duration::from_secs(1), stream.unpin_consumer(&self.name, GROUP)).await;
        }
        result
    }

    async fn take(&self, message: Message) {
        let subject = message.subject.to_string();
        let delivery = match Delivery::read(&subject, message.headers.as_ref(), message.payload.clone()) {
            Ok(delivery) => delivery,
            Err(missing) => {
                // Not one of ours: nothing in the stream of a context comes from elsewhere, and nothing can wait for it.
                tracing::error!(
                    subject,
                    missing,
                    consumer = self.name,
                    "a message without a valid envelope is dropped"
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
        span.record("trace_id", propagate::adopt(&span, &producer));
        propagate::link(&span, &producer);

        let started = tokio::time::Instant::now();
        let handled = AssertUnwindSafe(self.handle(&message, &delivery))
            .catch_unwind()
            .instrument(span.clone())
            .await;
        let outcome = handled.unwrap_or_else(|_| Err(Fault::Bug("the handler panicked".to_owned())));
        let label = match &outcome {
            Ok(Verdict::Next) => "applied",
            Ok(Verdict::Done) => "duplicate",
            Ok(Verdict::Early) => "early",
            Ok(Verdict::Parked) => "parked",
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

    async fn handle(&self, message: &Message, delivery: &Delivery) -> Result<Verdict, Fault> {
        // Saves fetching for an event that cannot have its effect now; the claim below is what decides.
        let peeked = guard::peek(&self.db, &self.name, delivery).await?;
        if peeked != Verdict::Next && !self.sabotage.is(Sabotage::NoGuard) {
            return Ok(peeked);
        }
        let prepared = self.handler.prepare(delivery).await?;
        if self.sabotage.is(Sabotage::AckFirst) {
            acknowledge(message).await;
        }
        let mut tx = self.db.tx(&Scope::account(&delivery.account)).await?;
        let verdict = guard::claim(&mut tx, &self.name, delivery, self.sabotage).await?;
        if verdict == Verdict::Next {
            self.handler.apply(&mut tx, delivery, prepared).await?;
            tx.commit().await?;
            crash_point_of("consumer-committed", &self.name);
        }
        Ok(verdict)
    }

    async fn finish(&self, message: &Message, delivery: &Delivery, outcome: Result<Verdict, Fault>) {
        let consumer = KeyValue::new("consumer", self.name.clone());
        match outcome {
            Ok(Verdict::Next) => {
                let delay = (self.clock.now() - delivery.time).as_seconds_f64();
                metrics::APPLY_DELAY.record(delay, &[consumer]);
                tracing::debug!("applied");
                self.forget(delivery);
                acknowledge(message).await;
            }
            Ok(Verdict::Done) => {
                metrics::INBOX_DUPLICATES.add(1, &[consumer]);
                acknowledge(message).await;
            }
            Ok(Verdict::Early) => {
                metrics::GAP_WAITS.add(1, &[consumer]);
                postpone(message).await;
            }
            Ok(Verdict::Parked) => {
                self.park(message, delivery, "parked", "an earlier event is a dead letter")
                    .await;
            }
            Err(Fault::Transient(error)) => {
                tracing::warn!(error, "the event is tried again later");
                postpone(message).await;
            }
            Err(Fault::Permanent(error)) => {
                tracing::error!(error, "the event goes to the dead letters");
                self.park(message, delivery, "permanent", &error).await;
            }
            Err(Fault::Bug(error)) => {
                let attempt = self.count(delivery);
                tracing::error!(error, attempt, "handling the event failed");
                if attempt < BUG_ATTEMPTS {
                    postpone(message).await;
                } else {
                    self.park(message, delivery, "bug", &error).await;
                }
            }
        }
    }

    async fn park(&self, message: &Message, delivery: &Delivery, class: &'static str, error: &str) {
        let attempts = message.info().map_or(0, |info| info.delivered);
        let cause = guard::Cause {
            class,
            error,
            attempts,
        };
        match guard::park(&self.db, &self.name, delivery, cause).await {
            Ok(true) => {
                self.forget(delivery);
                acknowledge(message).await;
            }
            Ok(false) => postpone(message).await,
            Err(failure) => {
                tracing::warn!(%failure, "the dead letter could not be kept yet");
                postpone(message).await;
            }
        }
    }

    fn count(&self, delivery: &Delivery) -> u32 {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = attempts.entry(delivery.event_id).or_default();
        *count += 1;
        *count
    }

    fn forget(&self, delivery: &Delivery) {
        self.attempts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&delivery.event_id);
    }
}

/// The aggregate's token of `cosell.<context>.v1.<account>.<aggregate>.<event>`.
fn aggregate_of(message: &Message) -> &str {
    message.subject.as_str().split('.').nth(4).unwrap_or_default()
}

/// Tells the broker that it need not deliver the message again. If that is lost, it does, and the inbox knows.
async fn acknowledge(message: &Message) {
    if let Err(error) = message.double_ack().await {
        tracing::debug!(%error, "an acknowledgement was lost; the event will come again");
    }
}

/// Asks for the message again, later each time.
async fn postpone(message: &Message) {
    let delivered = message.info().map_or(1, |info| info.delivered).clamp(1, 8);
    let pause = Duration::from_millis(25 << delivered).min(LONGEST_PAUSE);
    if let Err(error) = message.ack_with(AckKind::Nak(Some(pause))).await {
        tracing::debug!(%error, "a postponement was lost; the event will come again");
    }
}
