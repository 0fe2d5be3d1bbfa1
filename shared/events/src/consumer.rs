//! Consumes events: receives them from the broker, and applies those of each lane in batches.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PriorityPolicy};
use cosell_store::Db;
use cosell_types::{Clock, random};
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::apply::Applier;
use crate::outbox::shard;
use crate::{Bus, Handler, Sabotage};

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
/// Events that are pulled, and events of a lane that wait for those before them.
const PULLED: usize = 256;
/// Events of a lane that are applied together.
const BATCH: usize = 64;

/// The consumer of one context's events in a service.
pub struct Consumer<H> {
    inner: Arc<Inner<H>>,
}

struct Inner<H> {
    bus: Bus,
    context: &'static str,
    applier: Applier<H>,
}

impl<H: Handler> Consumer<H> {
    /// Creates the consumer `<service>-<context>`. `db` is the events pool of the service.
    pub fn new(db: Db, bus: Bus, service: &str, context: &'static str, handler: H, clock: Clock) -> Self {
        let applier = Applier::new(db, service, context, handler, clock);
        let inner = Arc::new(Inner {
            bus,
            context,
            applier,
        });
        Self { inner }
    }

    /// Injects a fault; without effect in other builds than that for fault injection.
    #[must_use]
    pub fn with_sabotage(mut self, sabotage: Sabotage) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.applier.sabotage = sabotage;
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
            let consumer = &self.inner.applier.name;
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
            durable_name: Some(self.applier.name.clone()),
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
            .max_messages_per_batch(PULLED)
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
            let (sender, mut receiver) = mpsc::channel::<Message>(PULLED);
            let inner = self.clone();
            senders.push(sender);
            lanes.spawn(async move {
                let mut batch = Vec::new();
                while receiver.recv_many(&mut batch, BATCH).await > 0 {
                    inner.applier.process(std::mem::take(&mut batch)).await;
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
            let _ = tokio::time::timeout(
                Duration::from_secs(1),
                stream.unpin_consumer(&self.applier.name, GROUP),
            )
            .await;
        }
        result
    }
}

/// The token `<aggregate>` of a subject `cosell.<context>.v1.<account>.<aggregate>.<event>`.
fn aggregate_of(message: &Message) -> &str {
    message.subject.as_str().split('.').nth(4).unwrap_or_default()
}
