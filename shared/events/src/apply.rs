//! Applies events in batches. The effects of a batch and the positions of the consumer commit in one transaction; after it
//! the events are acknowledged.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::{AckKind, Message};
use cosell_store::{Db, Scope, Tx};
use cosell_telemetry::{metrics, propagate};
use cosell_types::Clock;
use futures::future::join_all;
use futures::{FutureExt as _, StreamExt as _, stream};
use opentelemetry::KeyValue;
use tokio::time::Instant;
use tracing::{Instrument as _, Span, field, info_span};
use uuid::Uuid;

use crate::guard::{self, ClaimOutcome, ParkCause, Positions};
use crate::sabotage::crash_point_of;
use crate::{Delivery, Handler, HandlerError, Sabotage};

/// Attempts at an event whose handler fails with [`HandlerError::Bug`].
const MAX_BUG_ATTEMPTS: u32 = 5;
/// Maximum delay of a redelivery.
const MAX_REDELIVERY_DELAY: Duration = Duration::from_secs(5);
/// Events of a batch whose data is read from other services at a time.
const CONCURRENT_READS: usize = 8;

/// Applies the events of one context in a service.
pub(crate) struct Applier<H> {
    /// `<service>-<context>`: the name of the durable, and of the consumer in the tables inbox and aggregate_cursor.
    pub(crate) name: String,
    pub(crate) sabotage: Sabotage,
    db: Db,
    context: &'static str,
    handler: H,
    clock: Clock,
    /// Failed attempts by event id. Only in memory: a restart grants further attempts.
    attempts: Mutex<HashMap<Uuid, u32>>,
}

/// An event of a batch.
struct Received {
    message: Message,
    delivery: Delivery,
    has_effect: bool,
    /// Disabled if the event has no effect.
    span: Span,
}

type Outcome = Result<ClaimOutcome, HandlerError>;

impl<H: Handler> Applier<H> {
    pub(crate) fn new(db: Db, service: &str, context: &'static str, handler: H, clock: Clock) -> Self {
        Self {
            name: format!("{service}-{context}"),
            sabotage: Sabotage::None,
            db,
            context,
            handler,
            clock,
            attempts: Mutex::default(),
        }
    }

    /// Applies a batch, and acknowledges or postpones each of its events.
    pub(crate) async fn process(&self, messages: Vec<Message>) {
        let started = Instant::now();
        let mut batch = Vec::with_capacity(messages.len());
        for message in messages {
            batch.extend(self.receive(message).await);
        }
        if batch.is_empty() {
            return;
        }
        let outcomes = self.apply(&batch).await;
        let labels: Vec<_> = outcomes.iter().map(label).collect();
        let mut finishing = Vec::with_capacity(batch.len());
        for (event, outcome) in batch.iter().zip(outcomes) {
            let finish = self.finish(&event.message, &event.delivery, outcome);
            finishing.push(finish.instrument(event.span.clone()));
        }
        join_all(finishing).await;
        for label in labels {
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
    }

    /// Decodes a message. `None` after it has been dropped, because it is no event.
    async fn receive(&self, message: Message) -> Option<Received> {
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
                return None;
            }
        };
        let has_effect = self.handler.has_effect(&delivery);
        Some(Received {
            span: if has_effect {
                self.span(&delivery)
            } else {
                Span::none()
            },
            message,
            delivery,
            has_effect,
        })
    }

    fn span(&self, delivery: &Delivery) -> Span {
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
        span
    }

    async fn apply(&self, batch: &[Received]) -> Vec<Outcome> {
        let applied = async {
            let prepared = self.prepare(batch).await?;
            if self.sabotage.is(Sabotage::AckFirst) {
                for event in batch {
                    acknowledge(&event.message).await;
                }
            }
            self.commit(batch, prepared).await
        };
        // Then nothing is stored, and no single event is the cause.
        applied.await.unwrap_or_else(|error| {
            let failed = |_| Err(HandlerError::Transient(error.to_string()));
            batch.iter().map(failed).collect()
        })
    }

    /// Prepares the events that have an effect and, as far as can be known before the positions are locked, can be
    /// applied now.
    async fn prepare(
        &self,
        batch: &[Received],
    ) -> Result<Vec<Option<Result<H::Prepared, HandlerError>>>, HandlerError> {
        let mut is_due: Vec<_> = batch.iter().map(|event| event.has_effect).collect();
        if H::READS_PEERS && is_due.contains(&true) && !self.sabotage.is(Sabotage::NoGuard) {
            let mut tx = self.db.tx(&scope_of(batch)).await?;
            let mut positions = Positions::read(&mut tx, &self.name, &deliveries(batch)).await?;
            drop(tx);
            for (event, is_due) in batch.iter().zip(&mut is_due) {
                match positions.claim(&event.delivery) {
                    ClaimOutcome::Next => positions.advance(&event.delivery),
                    _ => *is_due = false,
                }
            }
        }
        let mut preparing = Vec::with_capacity(batch.len());
        for (event, is_due) in batch.iter().zip(is_due) {
            preparing.push(self.prepare_event(event, is_due));
        }
        Ok(stream::iter(preparing).buffered(CONCURRENT_READS).collect().await)
    }

    async fn prepare_event(
        &self,
        event: &Received,
        is_due: bool,
    ) -> Option<Result<H::Prepared, HandlerError>> {
        if !is_due {
            return None;
        }
        let preparing = AssertUnwindSafe(self.handler.prepare(&event.delivery)).catch_unwind();
        let prepared = preparing.instrument(event.span.clone()).await;
        Some(prepared.unwrap_or_else(|_| Err(panicked())))
    }

    /// Applies the events that are next, each after those before it, and commits. An event that fails is left out alone,
    /// with the later ones of its aggregate.
    async fn commit(
        &self,
        batch: &[Received],
        prepared: Vec<Option<Result<H::Prepared, HandlerError>>>,
    ) -> Result<Vec<Outcome>, HandlerError> {
        let is_guarded = !self.sabotage.is(Sabotage::NoGuard);
        let scope = scope_of(batch);
        let mut tx = self.db.tx(&scope).await?;
        let mut positions = match is_guarded {
            true => Positions::lock(&mut tx, &self.name, &deliveries(batch)).await?,
            false => Positions::default(),
        };
        let (mut outcomes, mut applied) = (Vec::with_capacity(batch.len()), Vec::new());
        for (event, prepared) in batch.iter().zip(prepared) {
            let claim = match is_guarded {
                true => positions.claim(&event.delivery),
                false => ClaimOutcome::Next,
            };
            let effect = match (claim, prepared) {
                (ClaimOutcome::Next, _) if !event.has_effect => Ok(()),
                (ClaimOutcome::Next, Some(Ok(prepared))) => {
                    let is_alone = batch.len() == 1;
                    self.apply_effect(&mut tx, event, prepared, is_alone).await?
                }
                (ClaimOutcome::Next, Some(Err(error))) => Err(error),
                // It was not next when it should have been prepared.
                (ClaimOutcome::Next, None) => {
                    outcomes.push(Ok(ClaimOutcome::Early));
                    continue;
                }
                (claim, _) => {
                    outcomes.push(Ok(claim));
                    continue;
                }
            };
            outcomes.push(effect.map(|()| {
                positions.advance(&event.delivery);
                applied.push(&event.delivery);
                ClaimOutcome::Next
            }));
        }
        if applied.is_empty() {
            return Ok(outcomes);
        }
        if is_guarded {
            if tx.scope() != &scope {
                tx.switch_scope(&scope).await?;
            }
            positions.save(&mut tx, &self.name, &applied).await?;
        }
        tx.commit().await?;
        crash_point_of("consumer-committed", &self.name);
        Ok(outcomes)
    }

    /// Applies the effect of one event, in the scope of its account. Undoes it alone if it fails; if the event is alone
    /// in its transaction, that is left to the end of the transaction.
    async fn apply_effect(
        &self,
        tx: &mut Tx,
        event: &Received,
        prepared: H::Prepared,
        is_alone: bool,
    ) -> Result<Result<(), HandlerError>, HandlerError> {
        if !is_alone {
            tx.begin_part(&Scope::account(&event.delivery.account)).await?;
        }
        let applying = AssertUnwindSafe(self.handler.apply(tx, &event.delivery, prepared)).catch_unwind();
        let applied = applying.instrument(event.span.clone()).await;
        let applied = applied.unwrap_or_else(|_| Err(panicked()));
        if applied.is_err() && !is_alone {
            tx.roll_back_part().await?;
        }
        Ok(applied)
    }

    async fn finish(&self, message: &Message, delivery: &Delivery, outcome: Outcome) {
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
        let cause = ParkCause {
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

/// The scope of the batch's positions: that of its account if it has only one, which is also that of the effects.
fn scope_of(batch: &[Received]) -> Scope {
    let mut accounts = batch.iter().map(|event| &event.delivery.account);
    match accounts.next() {
        Some(account) if accounts.all(|other| other == account) => Scope::account(account),
        _ => Scope::consumer(),
    }
}

fn deliveries(batch: &[Received]) -> Vec<&Delivery> {
    batch.iter().map(|event| &event.delivery).collect()
}

fn panicked() -> HandlerError {
    HandlerError::Bug("the handler panicked".to_owned())
}

/// The outcome of an event in metrics.
fn label(outcome: &Outcome) -> &'static str {
    match outcome {
        Ok(ClaimOutcome::Next) => "applied",
        Ok(ClaimOutcome::AlreadyApplied) => "duplicate",
        Ok(ClaimOutcome::Early) => "early",
        Ok(ClaimOutcome::Parked) => "parked",
        Err(_) => "failed",
    }
}

/// Acknowledges the message. If that gets lost, the broker redelivers it, and the guard recognizes it.
async fn acknowledge(message: &Message) {
    if let Err(error) = message.ack().await {
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
