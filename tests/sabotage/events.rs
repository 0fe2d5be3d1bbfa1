//! Event paths without one of their guarantees. Each check holds for the real one and fails for the sabotaged one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_nats::HeaderMap;
use async_nats::jetstream;
use cosell_events::{
    About, Bus, BusArgs, Cause, Consumer, Delivery, Event, Fault, Handler, Relay, Sabotage, append,
};
use cosell_proto::cosell::opportunity::v1::OpportunityDiscarded;
use cosell_review::Reviews;
use cosell_service::Service as _;
use cosell_store::{Database, Scope, Tx};
use cosell_testkit::harness::{FarEnd, TestDatabase, eventually, folder, nats_program};
use cosell_testkit::nats;
use cosell_types::{AccountId, Clock};
use prost::{Message as _, Name as _};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const ACCOUNT: &str = "111111111111";

/// A database and a bus, with nothing running on them.
struct Rig {
    database: Database,
    bus: Bus,
    far: FarEnd,
    nats: nats::Server,
    stop: CancellationToken,
    _data: TestDatabase,
}

impl Rig {
    async fn new() -> Self {
        let nats = nats::Server::start(&nats_program(), &folder("nats")).expect("a NATS server");
        let data = TestDatabase::new::<Reviews>().await;
        let args = BusArgs {
            nats_url: nats.url(),
            nats_credentials: None,
            stream_replicas: 1,
            stream_days: 1,
            stream_bytes: 64 * 1024 * 1024,
            stream_duplicate_seconds: 60,
        };
        Self {
            database: Database::open(&data.args, Reviews::NAME).expect("a database"),
            bus: Bus::connect(&args, Reviews::NAME).await.expect("a bus"),
            far: FarEnd::new(&nats.url()).await,
            nats,
            stop: CancellationToken::new(),
            _data: data,
        }
    }

    async fn tx(&self) -> Tx {
        self.database
            .calls
            .tx(&Scope::account(&account()))
            .await
            .expect("a transaction")
    }

    async fn append(&self, aggregate: &str, version: i64) {
        let mut tx = self.tx().await;
        append_to(&mut tx, aggregate, version).await;
        tx.commit().await.expect("a commit");
    }

    fn relay(&self, sabotage: Sabotage) -> JoinHandle<()> {
        let (work, committed) = (self.database.work.clone(), self.database.committed());
        let relay = Relay::new(work, self.bus.clone(), Reviews::NAME, committed, Clock::system());
        tokio::spawn(relay.sabotaged(sabotage).run(self.stop.clone()))
    }

    fn consume(&self, handler: Recorder, sabotage: Sabotage) -> JoinHandle<()> {
        let (db, bus) = (self.database.events.clone(), self.bus.clone());
        let consumer = Consumer::new(db, bus, Reviews::NAME, "opportunity", handler, Clock::system());
        tokio::spawn(consumer.sabotaged(sabotage).run(self.stop.clone()))
    }

    /// An event of another context, under a message id of its own: the broker takes no copy for one.
    async fn deliver(&self, event_id: &str, aggregate: &str, version: i64) {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("Nats-Msg-Id", FarEnd::id().as_str()),
            ("ce-specversion", "1.0"),
            ("ce-id", event_id),
            ("ce-type", &OpportunityDiscarded::full_name()),
            ("ce-source", "/cosell/opportunity"),
            ("ce-subject", aggregate),
            ("ce-time", "2026-03-02T09:00:00Z"),
            ("ce-sequence", &version.to_string()),
            ("ce-accountid", ACCOUNT),
            ("ce-actor", "somebody"),
            ("ce-requestid", "a-request"),
        ] {
            headers.insert(name, value);
        }
        let subject = format!("cosell.opportunity.v1.{ACCOUNT}.{aggregate}.discarded");
        self.far
            .publish_raw(&subject, headers, OpportunityDiscarded::default().encode_to_vec())
            .await;
    }

    /// Returns when the consumer has nothing left to take and nothing in hand.
    async fn drained(&self) {
        let client = async_nats::connect(self.nats.url()).await.expect("a connection");
        let jetstream = jetstream::new(client);
        eventually(async || {
            let stream = jetstream.get_stream("COSELL_OPPORTUNITY").await?;
            let name = "review-opportunity";
            let consumer: jetstream::consumer::PullConsumer = stream
                .get_consumer(name)
                .await
                .map_err(|error| anyhow::anyhow!("{error}"))?;
            let info = consumer.cached_info();
            let last = stream.cached_info().state.last_sequence;
            anyhow::ensure!(
                info.ack_floor.stream_sequence == last && info.num_ack_pending == 0,
                "{} of {last} are acknowledged",
                info.ack_floor.stream_sequence
            );
            Ok::<_, anyhow::Error>(())
        })
        .await;
    }

    async fn end(self, running: JoinHandle<()>) {
        self.stop.cancel();
        running.await.expect("a run that ends");
    }
}

fn account() -> AccountId {
    ACCOUNT.parse().expect("an account")
}

async fn append_to(tx: &mut Tx, aggregate: &str, version: i64) {
    let account = account();
    let about = About {
        context: Reviews::NAME,
        aggregate: "review_case",
        account: &account,
        id: aggregate,
        version,
    };
    let cause = Cause {
        actor: "somebody",
        request_id: "a-request",
        time: Clock::system().now(),
    };
    let event = Event::new(about, cause, &OpportunityDiscarded::default());
    append(tx, &event).await.expect("an appended event");
}

/// Remembers what it was given, in order. Fails once where it is told to.
#[derive(Clone, Default)]
struct Recorder {
    applied: Arc<Mutex<Vec<i64>>>,
    fails: Arc<AtomicBool>,
}

impl Recorder {
    fn applied(&self) -> Vec<i64> {
        self.applied.lock().expect("what was applied").clone()
    }
}

impl Handler for Recorder {
    type Prepared = ();

    async fn prepare(&self, _: &Delivery) -> Result<(), Fault> {
        Ok(())
    }

    async fn apply(&self, _: &mut Tx, delivery: &Delivery, (): ()) -> Result<(), Fault> {
        if self.fails.swap(false, Ordering::SeqCst) {
            return Err(Fault::Transient("not now".to_owned()));
        }
        self.applied
            .lock()
            .expect("what was applied")
            .push(delivery.version);
        Ok(())
    }
}

/// The versions of one aggregate in the order in which they were published.
async fn published(sabotage: Sabotage) -> Vec<i64> {
    let rig = Rig::new().await;
    for version in 1..=30 {
        rig.append("rc-1", version).await;
    }
    let running = rig.relay(sabotage);
    let events = rig.far.first(Reviews::NAME, 30).await;
    rig.end(running).await;
    events
        .iter()
        .map(|event| event.header("ce-sequence").parse().expect("a number"))
        .collect()
}

#[tokio::test]
async fn plt_009_events_of_an_aggregate_are_published_in_order() {
    let in_order: Vec<_> = (1..=30).collect();
    assert_eq!(published(Sabotage::None).await, in_order);
    assert_ne!(
        published(Sabotage::SkipLocked).await,
        in_order,
        "the sabotage is not noticed"
    );
}

/// What is published when an event gets its number first and is committed last.
async fn published_after_a_late_commit(sabotage: Sabotage) -> Vec<String> {
    let rig = Rig::new().await;
    let mut late = rig.tx().await;
    append_to(&mut late, "late", 1).await;
    rig.append("early", 1).await;
    let running = rig.relay(sabotage);
    rig.far.first(Reviews::NAME, 1).await;
    late.commit().await.expect("a commit");
    rig.append("last", 1).await;
    let events = rig.far.first(Reviews::NAME, 2).await;
    rig.end(running).await;
    events
        .iter()
        .map(|event| event.header("ce-subject").to_owned())
        .collect()
}

#[tokio::test]
async fn plt_009_an_event_that_commits_late_is_not_skipped() {
    assert_eq!(
        published_after_a_late_commit(Sabotage::None).await,
        ["early", "late"]
    );
    let skipped = published_after_a_late_commit(Sabotage::SequenceCursor).await;
    assert_eq!(skipped, ["early", "last"], "the sabotage is not noticed");
}

/// What is applied when events come in the wrong order and one of them twice.
async fn applied_of_a_shuffle(sabotage: Sabotage) -> Vec<i64> {
    let rig = Rig::new().await;
    let recorder = Recorder::default();
    let running = rig.consume(recorder.clone(), sabotage);
    let ids = [FarEnd::id(), FarEnd::id(), FarEnd::id()];
    for version in [2, 1, 1, 3, 2] {
        rig.deliver(
            &ids[version - 1],
            "O1",
            i64::try_from(version).expect("a version"),
        )
        .await;
    }
    rig.drained().await;
    rig.end(running).await;
    recorder.applied()
}

#[tokio::test]
async fn plt_009_each_event_is_applied_once_and_in_order() {
    assert_eq!(applied_of_a_shuffle(Sabotage::None).await, [1, 2, 3]);
    let shuffled = applied_of_a_shuffle(Sabotage::NoGuard).await;
    assert_ne!(shuffled, [1, 2, 3], "the sabotage is not noticed");
}

/// What is applied when the first attempt fails.
async fn applied_at_the_second_attempt(sabotage: Sabotage) -> Vec<i64> {
    let rig = Rig::new().await;
    let recorder = Recorder::default();
    recorder.fails.store(true, Ordering::SeqCst);
    let running = rig.consume(recorder.clone(), sabotage);
    rig.deliver(&FarEnd::id(), "O1", 1).await;
    rig.drained().await;
    rig.end(running).await;
    recorder.applied()
}

#[tokio::test]
async fn plt_009_an_event_is_acknowledged_only_when_its_effect_is_committed() {
    assert_eq!(applied_at_the_second_attempt(Sabotage::None).await, [1]);
    let lost = applied_at_the_second_attempt(Sabotage::AckFirst).await;
    assert!(lost.is_empty(), "the sabotage is not noticed");
}

/// More aggregates wait for an earlier event than a worker has in hand at a time; what they wait for comes all the same.
#[tokio::test]
async fn plt_009_events_that_wait_keep_nothing_out() {
    const AGGREGATES: usize = 300;
    let rig = Rig::new().await;
    let recorder = Recorder::default();
    let running = rig.consume(recorder.clone(), Sabotage::None);
    for version in [2, 1] {
        for number in 0..AGGREGATES {
            rig.deliver(&FarEnd::id(), &format!("O{number}"), version).await;
        }
    }
    rig.drained().await;
    rig.end(running).await;
    assert_eq!(recorder.applied().len(), 2 * AGGREGATES);
}

/// The broker lost its store: the next event finds its way, without anybody starting anything again.
#[tokio::test]
async fn plt_009_a_lost_stream_is_made_again() {
    let mut rig = Rig::new().await;
    let running = rig.relay(Sabotage::None);
    rig.append("rc-1", 1).await;
    rig.far.first(Reviews::NAME, 1).await;
    rig.nats.crash();
    rig.nats.forget().expect("an empty store");
    rig.nats.resume().expect("NATS again");
    rig.append("rc-1", 2).await;
    let mut events = rig.far.first(Reviews::NAME, 1).await;
    // The first may come again: the broker may have gone before its pointer was deleted.
    if events[0].header("ce-sequence") == "1" {
        events = rig.far.first(Reviews::NAME, 2).await;
    }
    assert_eq!(events[events.len() - 1].header("ce-sequence"), "2");
    rig.end(running).await;
}

/// A relay that ends without giving its leases up: another takes them over when they run out, under a new epoch.
#[tokio::test]
async fn plt_009_another_relay_takes_over_when_a_lease_runs_out() {
    let rig = Rig::new().await;
    let first = rig.relay(Sabotage::None);
    rig.append("rc-1", 1).await;
    rig.far.first(Reviews::NAME, 1).await;
    first.abort();
    rig.append("rc-1", 2).await;
    let second = rig.relay(Sabotage::None);
    let events = rig.far.first(Reviews::NAME, 2).await;
    assert_eq!(events[1].header("ce-sequence"), "2");
    let mut tx = rig.database.work.tx(&Scope::work()).await.expect("a transaction");
    let epochs: Vec<i64> = sqlx::query_scalar("SELECT DISTINCT epoch FROM relay_lease")
        .fetch_all(tx.conn())
        .await
        .expect("the leases");
    // More often on a slow machine, where a lease can run out while its holder lives.
    assert!(
        !epochs.is_empty() && epochs.iter().all(|epoch| *epoch >= 2),
        "each lease has changed hands: {epochs:?}"
    );
    drop(tx);
    rig.end(second).await;
}
