use async_nats::HeaderMap;
use async_nats::jetstream::{self, consumer::pull::Config};
use cosell_types::{Clock, random};
use futures::StreamExt as _;
use prost::{Message, Name};

/// A peer on the event bus: publishes events as another context, and reads the published events.
pub struct PeerStub {
    jetstream: jetstream::Context,
}

/// A published event.
#[derive(Clone, Debug)]
pub struct Published {
    /// The NATS subject.
    pub subject: String,
    /// The headers: CloudEvents attributes and others.
    pub headers: HeaderMap,
    /// The encoded message.
    pub payload: Vec<u8>,
}

impl Published {
    /// A header; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.as_str())
    }

    /// Decodes the message, whose type must match the header `ce-type`.
    pub fn message<M: Message + Name + Default>(&self) -> M {
        assert_eq!(self.header("ce-type"), M::full_name());
        M::decode(self.payload.as_slice()).expect("a message of the type in the header")
    }
}

impl PeerStub {
    /// Connects to the bus.
    pub async fn new(url: &str) -> Self {
        let client = async_nats::connect(url).await.expect("a connection to NATS");
        Self {
            jetstream: jetstream::new(client),
        }
    }

    /// Publishes an event of an aggregate with a new event id.
    pub async fn publish_event<M: Message + Name>(
        &self,
        context: &str,
        account: &str,
        aggregate: &str,
        version: i64,
        message: &M,
    ) {
        self.publish(&Self::id(), context, account, aggregate, version, message)
            .await;
    }

    /// Publishes an event of an aggregate with this event id.
    pub async fn publish<M: Message + Name>(
        &self,
        id: &str,
        context: &str,
        account: &str,
        aggregate: &str,
        version: i64,
        message: &M,
    ) {
        let mut headers = HeaderMap::new();
        let time = Clock::system().now().to_rfc3339();
        for (name, value) in [
            ("ce-specversion", "1.0"),
            ("ce-id", id),
            ("ce-type", &M::full_name()),
            ("ce-source", &format!("/cosell/{context}")),
            ("ce-subject", aggregate),
            ("ce-time", &time),
            ("ce-sequence", &version.to_string()),
            ("ce-accountid", account),
            ("ce-actor", "mem-far"),
            ("ce-requestid", "far-request"),
        ] {
            headers.insert(name, value);
        }
        self.publish_raw(
            &format!("cosell.{context}.v1.{account}.{aggregate}.event"),
            headers,
            message.encode_to_vec(),
        )
        .await;
    }

    /// Publishes any message; waits until the stream exists.
    pub async fn publish_raw(&self, subject: &str, headers: HeaderMap, payload: Vec<u8>) {
        super::eventually(async || {
            let sent = self.jetstream.publish_with_headers(
                subject.to_owned(),
                headers.clone(),
                payload.clone().into(),
            );
            sent.await
                .map_err(|error| error.to_string())?
                .await
                .map_err(|error| error.to_string())
        })
        .await;
    }

    /// Generates an event id.
    pub fn id() -> String {
        random::uuid(Clock::system().now()).to_string()
    }

    /// Waits for the first `count` events of a context and returns them.
    pub async fn first_events(&self, context: &str, count: usize) -> Vec<Published> {
        let name = format!("COSELL_{}", context.to_uppercase());
        let stream =
            super::eventually(async || self.jetstream.get_stream(&name).await.map_err(|e| e.to_string()))
                .await;
        let consumer = stream
            .create_consumer(Config::default())
            .await
            .expect("a consumer");
        let mut messages = consumer.messages().await.expect("messages");
        let mut received = Vec::new();
        while received.len() < count {
            let next = tokio::time::timeout(super::PATIENCE, messages.next()).await;
            let message =
                next.unwrap_or_else(|_| panic!("received only {} of {count} events", received.len()));
            let message = message.expect("an open stream of messages").expect("a message");
            message.ack().await.expect("an acknowledgement");
            received.push(Published {
                subject: message.subject.to_string(),
                headers: message.headers.clone().unwrap_or_default(),
                payload: message.payload.to_vec(),
            });
        }
        received
    }

    /// Creates a consumer that is marked as one of the platform's and never consumes.
    pub async fn create_idle_consumer(&self, context: &str) {
        let name = format!("COSELL_{}", context.to_uppercase());
        let stream = self.jetstream.get_stream(&name).await.expect("the stream");
        let config = Config {
            durable_name: Some(format!("idle-{context}")),
            metadata: [("cosell-context".to_owned(), context.to_owned())].into(),
            ..Config::default()
        };
        stream.create_consumer(config).await.expect("a consumer");
    }

    /// The number of events in the stream of a context.
    pub async fn count(&self, context: &str) -> u64 {
        let name = format!("COSELL_{}", context.to_uppercase());
        self.jetstream
            .get_stream(&name)
            .await
            .map_or(0, |stream| stream.cached_info().state.messages)
    }
}
