//! All metrics of the platform, named by the OpenTelemetry semantic conventions where one exists. No label contains an
//! account, a member or a record: their number is unbounded, and they are confidential.

use std::sync::LazyLock;

use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};
use opentelemetry::{KeyValue, global};

static METER: LazyLock<Meter> = LazyLock::new(|| global::meter("cosell"));

/// Histogram boundaries: 5 ms to 10 s, the expected duration of calls and of event processing.
const BOUNDARIES: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

fn seconds(name: &'static str, description: &'static str) -> Histogram<f64> {
    METER
        .f64_histogram(name)
        .with_unit("s")
        .with_description(description)
        .with_boundaries(BOUNDARIES.to_vec())
        .build()
}

fn count(name: &'static str, description: &'static str) -> Counter<u64> {
    METER.u64_counter(name).with_description(description).build()
}

/// Seconds from receiving a call to its response. Labels: `rpc.method`, `rpc.response.status_code`.
pub static RPC_DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    seconds(
        "rpc.server.call.duration",
        "Duration of calls, measured by the server",
    )
});

/// Denials: calls refused because of their caller (ACC-030). Labels: `rpc.method`, `reason`.
pub static ACCESS_DENIED: LazyLock<Counter<u64>> =
    LazyLock::new(|| count("authz.denied", "Calls refused because of their caller"));

/// Denials that were not stored, because the queue was full.
pub static DENIALS_LOST: LazyLock<Counter<u64>> =
    LazyLock::new(|| count("authz.denials.lost", "Denials that were not stored"));

/// Statements that only row-level security or a missing grant refused: the service lacks a check of its own.
pub static ISOLATION_BACKSTOP: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "tenant.isolation.backstop",
        "Statements that only the access control of the database refused",
    )
});

/// Calls refused by a limit of concurrent calls, by an account's rate limit, or because all connections to the
/// database were in use.
pub static CALLS_SHED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "rpc.server.shed",
        "Calls refused by a limit of concurrent calls or a rate limit",
    )
});

/// Connections closed before their first call. Label: `reason`, `limit` or `handshake`.
pub static CONNECTIONS_REFUSED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "rpc.server.connections.refused",
        "Connections refused by a limit, or closed during their handshake",
    )
});

/// Seconds to process the batch of a delivery, recorded for each delivery. Labels: `messaging.destination.template`, `messaging.consumer.group.name`, `outcome`.
pub static PROCESS_DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    seconds(
        "messaging.process.duration",
        "Duration of processing the batch of a delivered event",
    )
});

/// Seconds from an event, by its producer's clock, to the commit of its effect. Label: `consumer`.
pub static APPLY_DELAY: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    seconds(
        "consumer.apply.delay",
        "Time from an event to the commit of its effect",
    )
});

/// Deliveries of events that were already applied. Label: `consumer`.
pub static INBOX_DUPLICATES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "inbox.duplicates",
        "Deliveries of events that were already applied",
    )
});

/// Deliveries postponed because an earlier event of the aggregate is not applied yet. Label: `consumer`.
pub static GAP_WAITS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "consumer.gap.waits",
        "Deliveries postponed because an earlier event of the aggregate is not applied yet",
    )
});

/// Events acknowledged by the broker. Label: `context`.
pub static PUBLISHED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "messaging.client.sent.messages",
        "Events acknowledged by the broker",
    )
});

/// Published events that the broker had already stored. Label: `context`.
pub static PUBLISH_DUPLICATES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "relay.publish.duplicates",
        "Published events that the broker recognized as duplicates",
    )
});

/// Pending events in the outbox. Labels: `context`, `lane`.
pub static OUTBOX_PENDING: LazyLock<Gauge<i64>> = LazyLock::new(|| {
    METER
        .i64_gauge("outbox.pending")
        .with_description("Pending events in the outbox")
        .build()
});

/// Age of the oldest pending event in seconds: the best single indicator of health. Label: `context`.
pub static OUTBOX_OLDEST_AGE: LazyLock<Gauge<f64>> = LazyLock::new(|| {
    METER
        .f64_gauge("outbox.oldest.age")
        .with_unit("s")
        .with_description("Age of the oldest pending event in the outbox")
        .build()
});

/// Number of relay leases that this process holds. Label: `context`.
pub static LEASES_HELD: LazyLock<Gauge<i64>> = LazyLock::new(|| {
    METER
        .i64_gauge("relay.lease.held")
        .with_description("Relay leases held by this process")
        .build()
});

/// Open dead letters. Label: `consumer`.
pub static DEAD_LETTERS: LazyLock<Gauge<i64>> = LazyLock::new(|| {
    METER
        .i64_gauge("dead_letter.open")
        .with_description("Open dead letters")
        .build()
});

/// Committed state transitions of records. Labels: `transition`, `trigger`. Incremented by [`count_transition`].
static TRANSITIONS: LazyLock<Counter<u64>> =
    LazyLock::new(|| count("cosell.transitions", "Committed state transitions of records"));

/// The trigger of a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A gRPC call, or a confirmed channel link.
    Call,
    /// Scheduled work, or a callback of a channel provider.
    Background,
}

/// Counts a committed transition, such as `opportunity.submitted`. Transitions that apply a consumed event are not
/// counted, because the transition that published the event is.
pub fn count_transition(context: &str, transition: &str, trigger: Trigger) {
    let trigger = match trigger {
        Trigger::Call => "call",
        Trigger::Background => "background",
    };
    TRANSITIONS.add(
        1,
        &[
            KeyValue::new("transition", format!("{context}.{transition}")),
            KeyValue::new("trigger", trigger),
        ],
    );
}

/// Attempts to send an e-mail. Label: `outcome`.
pub static MAIL_ATTEMPTS: LazyLock<Counter<u64>> =
    LazyLock::new(|| count("mail.attempts", "Attempts to send an e-mail, by outcome"));

/// Callbacks that are not authenticated as those of the channel provider.
pub static CALLBACKS_REFUSED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "channel.callbacks.refused",
        "Channel provider callbacks with a missing, invalid or expired signature",
    )
});
