use std::sync::Arc;

use cosell_events::{Bus, Consumer, Handler, Relay, sweep};
use cosell_grpc::Audit;
use cosell_store::Database;
use cosell_telemetry::metrics;
use cosell_types::Clock;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::denials;
use crate::due::{self, Work};

/// What a service does besides answering calls, and with what.
#[derive(Clone)]
pub struct Background {
    /// The service's database.
    pub database: Database,
    /// The event bus.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Background {
    /// Nothing yet, with these.
    pub fn new(database: Database, bus: Bus, clock: Clock) -> Self {
        Self {
            database,
            bus,
            clock,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// Runs a task that ends soon after the token is cancelled.
    pub fn spawn<F: Future<Output = ()> + Send + 'static>(&self, task: impl FnOnce(CancellationToken) -> F) {
        self.tasks.spawn(task(self.stop.clone()).in_current_span());
    }

    /// Sees to what becomes due.
    pub fn see_to<W: Work>(&self, work: W) {
        let (database, clock) = (self.database.clone(), self.clock.clone());
        self.spawn(|stop| due::run(work, database, clock, stop));
    }

    /// Publishes the events of this context, and keeps the tables behind that in order.
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

    /// Keeps the denials that the edge hands over.
    pub fn audit(&self) -> Audit {
        let (queue, received) = mpsc::channel(denials::WAITING);
        self.spawn(|stop| denials::keep(self.database.work.clone(), received, stop));
        Arc::new(move |denial| {
            if queue.try_send(denial).is_err() {
                metrics::DENIALS_LOST.add(1, &[]);
                tracing::warn!("a denial could not be kept: too many wait already");
            }
        })
    }

    /// Applies the events of a context.
    pub fn consume<H: Handler>(&self, service: &str, context: &'static str, handler: H) {
        let (db, bus) = (self.database.events.clone(), self.bus.clone());
        let consumer = Consumer::new(db, bus, service, context, handler, self.clock.clone());
        self.spawn(|stop| consumer.run(stop));
    }

    /// Ends all tasks: the relay gives its leases up, consumers finish what they have in hand.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(std::time::Duration::from_secs(5), self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("background work did not end in time and is cut; what it had in hand comes again");
        }
        self.bus.close().await;
        self.database.close().await;
    }
}
