//! The connection to NATS and the streams on it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use async_nats::connection::State;
use async_nats::jetstream::context::CreateStreamError;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, ContextBuilder};
use async_nats::{Client, ConnectOptions, Subscriber};
use bytes::Bytes;
use futures::StreamExt as _;

/// Options of the event bus.
#[derive(Clone, Debug, clap::Args)]
pub struct BusArgs {
    /// NATS server URLs, separated by commas.
    #[arg(long, env = "COSELL_NATS_URL", default_value = "nats://127.0.0.1:4222")]
    pub nats_url: String,

    /// NATS credentials file (JWT and key); without it the connection is anonymous.
    #[arg(long, env = "COSELL_NATS_CREDENTIALS")]
    pub nats_credentials: Option<PathBuf>,

    /// Replicas of each stream.
    #[arg(long, env = "COSELL_STREAM_REPLICAS", default_value_t = 1)]
    pub stream_replicas: usize,

    /// Retention of events in a stream, in days. The journal in the database retains them longer.
    #[arg(long, env = "COSELL_STREAM_DAYS", default_value_t = 30)]
    pub stream_days: u64,

    /// Maximum size of a stream in bytes; a full stream refuses new events, which stay pending in the outbox.
    #[arg(long, env = "COSELL_STREAM_BYTES", default_value_t = 4 * 1024 * 1024 * 1024)]
    pub stream_bytes: i64,

    /// Deduplication window of streams in seconds.
    #[arg(long, env = "COSELL_STREAM_DUPLICATE_SECONDS", default_value_t = 1200)]
    pub stream_duplicate_seconds: u64,
}

/// The event bus.
#[derive(Clone)]
pub struct Bus {
    pub(crate) jetstream: jetstream::Context,
    client: Client,
    args: BusArgs,
}

impl Bus {
    /// Connects in the background: a service runs without the bus, and its events stay pending until a server is
    /// available.
    pub async fn connect(args: &BusArgs, name: &str) -> anyhow::Result<Self> {
        let mut options = ConnectOptions::new()
            .name(name)
            .retry_on_initial_connect()
            .max_reconnects(None)
            .ping_interval(Duration::from_secs(10))
            .connection_timeout(Duration::from_secs(2))
            .reconnect_delay_callback(|attempt| {
                Duration::from_millis(50)
                    .saturating_mul(1 << attempt.min(6))
                    .min(Duration::from_secs(2))
            });
        if let Some(path) = &args.nats_credentials {
            options = options
                .credentials_file(path)
                .await
                .context("reading the NATS credentials")?;
        }
        let servers: Vec<_> = args.nats_url.split(',').map(str::trim).collect();
        let client = options.connect(servers).await.context("connecting to NATS")?;
        let jetstream = ContextBuilder::new()
            .timeout(Duration::from_secs(5))
            .ack_timeout(Duration::from_secs(5))
            .max_ack_inflight(512)
            .backpressure_on_inflight(true)
            .build(client.clone());
        Ok(Self {
            jetstream,
            client,
            args: args.clone(),
        })
    }

    /// Metadata key that marks the consumers of the platform's own services.
    pub(crate) const CONTEXT_KEY: &str = "cosell-context";

    /// The largest number of unapplied events of a context among the platform's own consumers.
    pub(crate) async fn backlog(&self, context: &str) -> anyhow::Result<u64> {
        let name = Self::stream_name(context);
        let stream = self.jetstream.get_stream_no_info(name).await?;
        let mut consumers = stream.consumers();
        let mut largest = 0;
        while let Some(consumer) = consumers.next().await {
            let consumer = consumer?;
            if consumer.config.metadata.contains_key(Self::CONTEXT_KEY) {
                largest = largest.max(consumer.num_pending + consumer.num_ack_pending as u64);
            }
        }
        Ok(largest)
    }

    /// The name of a context's stream.
    pub fn stream_name(context: &str) -> String {
        format!("COSELL_{}", context.to_uppercase())
    }

    /// Creates or updates the stream of a context.
    pub(crate) async fn ensure_stream(&self, context: &str) -> Result<(), CreateStreamError> {
        let config = Config {
            name: Self::stream_name(context),
            subjects: vec![format!("cosell.{context}.v1.>")],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::New,
            storage: StorageType::File,
            num_replicas: self.args.stream_replicas,
            max_age: Duration::from_secs(self.args.stream_days * 24 * 3600),
            max_bytes: self.args.stream_bytes,
            duplicate_window: Duration::from_secs(self.args.stream_duplicate_seconds),
            deny_delete: true,
            deny_purge: true,
            allow_direct: true,
            ..Config::default()
        };
        self.jetstream.create_or_update_stream(config).await.map(drop)
    }

    /// Notifies the relays of a context in other processes that events are pending. Not reliable: they also look
    /// themselves.
    pub(crate) async fn wake(&self, context: &str) {
        if self.client.connection_state() == State::Connected {
            let _ = self.client.publish(wake_subject(context), Bytes::new()).await;
        }
    }

    /// What [`Bus::wake`] sends; `None` if it cannot be received.
    pub(crate) async fn wake_ups(&self, context: &str) -> Option<Subscriber> {
        self.client.subscribe(wake_subject(context)).await.ok()
    }

    /// Whether the stream of a context has at least `published` events and a consumer has processed all of them.
    pub async fn has_caught_up(&self, context: &str, consumer: &str, published: u64) -> anyhow::Result<bool> {
        let mut stream = self.jetstream.get_stream(Self::stream_name(context)).await?;
        let messages = stream.info().await?.state.messages;
        let consumer = stream.consumer_info(consumer).await?;
        Ok(messages >= published && consumer.num_pending == 0 && consumer.num_ack_pending == 0)
    }

    /// Flushes buffered messages, within a time limit.
    pub async fn close(&self) {
        if self.client.connection_state() != State::Connected {
            return;
        }
        if tokio::time::timeout(Duration::from_secs(2), self.client.flush())
            .await
            .is_err()
        {
            tracing::debug!("flushing the bus timed out; unacknowledged events stay pending in the outbox");
        }
    }
}

fn wake_subject(context: &str) -> String {
    format!("cosell-wake.{context}")
}
