use std::sync::Arc;

use cosell_events::{Bus, Consumer, Handler, Relay, sweep};
use cosell_grpc::DenialSink;
use cosell_store::Database;
use cosell_telemetry::metrics;
use cosell_types::Clock;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::denials;
use crate::schedule::{self, ScheduledWork};

/// The background work of a service, and the resources that it uses.
#[derive(Clone)]
pub struct Background {
    /// The database of the service.
    pub database: Database,
    /// The connection to the event bus.
    pub bus: Bus,
    /// The source of the current time.
    pub clock: Clock,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Background {
    /// Creates a background without tasks.
    pub fn new(database: Database, bus: Bus, clock: Clock) -> Self {
        Self {
            database,
            bus,
            clock,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// Runs a task, which must end soon after its token is cancelled.
    pub fn spawn<F: Future<Output = ()> + Send + 'static>(&self, task: impl FnOnce(CancellationToken) -> F) {
        self.tasks.spawn(task(self.stop.clone()).in_current_span());
    }

    /// Runs scheduled work.
    pub fn schedule<W: ScheduledWork>(&self, work: W) {
        let (database, clock) = (self.database.clone(), self.clock.clone());
        self.spawn(|stop| schedule::run(work, database, clock, stop));
    }

    /// Runs the relay of this context, and the housekeeping of the platform tables.
    pub fn publish(&self, context: &'static str) {
        let database = &self.database;
        let relay = Relay::new(
            database.work.clone(),
            self.bus.clone(),
            context,
            database.committed(),
            self.clock.clone(),
        );
        self.spawn(|stop| relay.run(stop));
        self.spawn(|stop| sweep(database.work.clone(), self.clock.clone(), stop));
    }

    /// Starts the storing of denials. Returns the function that enqueues them.
    pub fn denial_sink(&self) -> DenialSink {
        let (queue, received) = mpsc::channel(denials::QUEUE_CAPACITY);
        self.spawn(|stop| denials::run(self.database.work.clone(), received, stop));
        Arc::new(move |denial| {
            if queue.try_send(denial).is_err() {
                metrics::DENIALS_LOST.add(1, &[]);
                tracing::warn!("denial discarded: the queue is full");
            }
        })
    }

    /// Runs the consumer of a context's events.
    pub fn consume<H: Handler>(&self, service: &str, context: &'static str, handler: H) {
        let (db, bus) = (self.database.events.clone(), self.bus.clone());
        let consumer = Consumer::new(db, bus, service, context, handler, self.clock.clone());
        self.spawn(|stop| consumer.run(stop));
    }

    /// Stops all tasks: the relay releases its leases, and consumers finish the events in flight. Closes bus and
    /// database.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(std::time::Duration::from_secs(5), self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("background tasks did not stop in time; their work in flight will be repeated");
        }
        self.bus.close().await;
        self.database.close().await;
    }
}
