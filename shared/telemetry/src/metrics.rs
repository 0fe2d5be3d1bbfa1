//! Every metric of the platform, by the names of the OpenTelemetry conventions where there is one. No label ever
//! holds an account, a member or a record: their number has no bound, and they are nobody else's business.

use std::sync::LazyLock;

use opentelemetry::global;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};

static METER: LazyLock<Meter> = LazyLock::new(|| global::meter("cosell"));

/// 5 ms to 10 s, the span in which calls and events are expected to end.
const SECONDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

fn seconds(name: &'static str, description: &'static str) -> Histogram<f64> {
    METER
        .f64_histogram(name)
        .with_unit("s")
        .with_description(description)
        .with_boundaries(SECONDS.to_vec())
        .build()
}

fn count(name: &'static str, description: &'static str) -> Counter<u64> {
    METER.u64_counter(name).with_description(description).build()
}

/// Seconds from the arrival of a call to its answer; `rpc.method`, `rpc.response.status_code`.
pub static RPC_DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    seconds(
        "rpc.server.call.duration",
        "Duration of a call as the server sees it",
    )
});

/// Calls refused because of who makes them; `rpc.method`, `reason`.
pub static ACCESS_DENIED: LazyLock<Counter<u64>> =
    LazyLock::new(|| count("authz.denied", "Calls refused because of who makes them"));

/// Denials that could not be kept, because too many came at once or the database was away for too long.
pub static DENIALS_LOST: LazyLock<Counter<u64>> =
    LazyLock::new(|| count("authz.denials.lost", "Denials that could not be kept"));

/// Statements that only the database refused, by row-level security or a missing right: a service's own care has a hole.
pub static ISOLATION_BACKSTOP: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "tenant.isolation.backstop",
        "Statements that only the database's own access rules refused",
    )
});

/// Calls shed because the service was full.
pub static CALLS_SHED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "rpc.server.shed",
        "Calls refused because the service had too many in hand",
    )
});

/// Seconds to handle one delivered event; `messaging.destination.template`, `messaging.consumer.group.name`, `outcome`.
pub static PROCESS_DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    seconds(
        "messaging.process.duration",
        "Duration of handling one delivered event",
    )
});

/// Seconds from when an event happened, by its producer's clock, to the commit of its effect; `consumer`.
pub static APPLY_DELAY: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    seconds(
        "consumer.apply.delay",
        "Time from an event to the commit of its effect",
    )
});

/// Events that were delivered again after their effect; `consumer`.
pub static INBOX_DUPLICATES: LazyLock<Counter<u64>> =
    LazyLock::new(|| count("inbox.duplicates", "Events delivered again after their effect"));

/// Events that had to wait for an earlier one of the same aggregate; `consumer`.
pub static GAP_WAITS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "consumer.gap.waits",
        "Deliveries that waited for an earlier event of the same record",
    )
});

/// Events published; `context`.
pub static PUBLISHED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "messaging.client.sent.messages",
        "Events acknowledged by the broker",
    )
});

/// Publishes that the broker already had; `context`.
pub static PUBLISH_DUPLICATES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "relay.publish.duplicates",
        "Publishes that the broker recognised as repeated",
    )
});

/// Events waiting to be published; `context`.
pub static OUTBOX_PENDING: LazyLock<Gauge<i64>> = LazyLock::new(|| {
    METER
        .i64_gauge("outbox.pending")
        .with_description("Events waiting to be published")
        .build()
});

/// Age of the oldest waiting event in seconds: the best single sign of health; `context`.
pub static OUTBOX_OLDEST_AGE: LazyLock<Gauge<f64>> = LazyLock::new(|| {
    METER
        .f64_gauge("outbox.oldest.age")
        .with_unit("s")
        .with_description("Age of the oldest event waiting to be published")
        .build()
});

/// Shards whose relay lease this process holds; `context`.
pub static LEASES_HELD: LazyLock<Gauge<i64>> = LazyLock::new(|| {
    METER
        .i64_gauge("relay.lease.held")
        .with_description("Relay leases held by this process")
        .build()
});

/// Unresolved dead letters; `consumer`.
pub static DEAD_LETTERS: LazyLock<Gauge<i64>> = LazyLock::new(|| {
    METER
        .i64_gauge("dead_letter.open")
        .with_description("Dead letters that nobody has resolved")
        .build()
});

/// Business transitions made by calls; those that events cause are not counted; `transition`.
pub static TRANSITIONS: LazyLock<Counter<u64>> =
    LazyLock::new(|| count("cosell.transitions", "Transitions of business records"));

/// Attempts to send an e-mail; `outcome`.
pub static MAIL_ATTEMPTS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "mail.attempts",
        "Attempts to send an e-mail, by what became of them",
    )
});

/// Calls that pretend to come from the provider of channels.
pub static CALLBACKS_REFUSED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    count(
        "channel.callbacks.refused",
        "Calls of the channel provider with no signature, a wrong one or one of another time",
    )
});
