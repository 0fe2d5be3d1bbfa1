//! Event delivery without one of its guarantees. Each check passes for the real relay and consumer and fails for the
//! sabotaged ones.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_nats::HeaderMap;
use async_nats::jetstream;
use cosell_events::{
    AggregateRef, Bus, BusArgs, Cause, Consumer, Delivery, Event, Handler, HandlerError, Relay, Sabotage,
    append,
};
use cosell_proto::cosell::opportunity::v1::OpportunityDiscarded;
use cosell_review::Reviews;
use cosell_service::Service as _;
use cosell_store::{Database, Error, Scope, Tx};
use cosell_testkit::harness::{PeerStub, TestDatabase, eventually, folder, nats_program};
use cosell_testkit::nats;
use cosell_types::{AccountId, Clock};
use prost::{Message as _, Name as _};
use sqlx::AssertSqlSafe;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const ACCOUNT: &str = "111111111111";

/// A database and a bus without running services.
struct Fixture {
    database: Database,
    bus: Bus,
    peer: PeerStub,
    nats: nats::Server,
    stop: CancellationToken,
    data: TestDatabase,
}

impl Fixture {
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
            peer: PeerStub::new(&nats.url()).await,
            nats,
            stop: CancellationToken::new(),
            data,
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
        tokio::spawn(relay.with_sabotage(sabotage).run(self.stop.clone()))
    }

    fn consume(&self, handler: Recorder, sabotage: Sabotage) -> JoinHandle<()> {
        let (db, bus) = (self.database.events.clone(), self.bus.clone());
        let consumer = Consumer::new(db, bus, Reviews::NAME, "opportunity", handler, Clock::system());
        tokio::spawn(consumer.with_sabotage(sabotage).run(self.stop.clone()))
    }

    /// Publishes an event of another context with a new message id, so that the broker does not deduplicate it.
    async fn deliver(&self, event_id: &str, aggregate: &str, version: i64) {
        self.deliver_to(ACCOUNT, event_id, aggregate, version).await;
    }

    async fn deliver_to(&self, account: &str, event_id: &str, aggregate: &str, version: i64) {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("Nats-Msg-Id", PeerStub::id().as_str()),
            ("ce-specversion", "1.0"),
            ("ce-id", event_id),
            ("ce-type", &OpportunityDiscarded::full_name()),
            ("ce-source", "/cosell/opportunity"),
            ("ce-subject", aggregate),
            ("ce-time", "2026-03-02T09:00:00Z"),
            ("ce-sequence", &version.to_string()),
            ("ce-accountid", account),
            ("ce-actor", "a-member"),
            ("ce-requestid", "a-request"),
        ] {
            headers.insert(name, value);
        }
        let subject = format!("cosell.opportunity.v1.{account}.{aggregate}.discarded");
        self.peer
            .publish_raw(&subject, headers, OpportunityDiscarded::default().encode_to_vec())
            .await;
    }

    /// Waits until the consumer has acknowledged all events of the stream.
    async fn wait_until_drained(&self) {
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

    async fn stop(self, running: JoinHandle<()>) {
        self.stop.cancel();
        running.await.expect("no panic");
    }
}

fn account() -> AccountId {
    ACCOUNT.parse().expect("an account")
}

async fn append_to(tx: &mut Tx, aggregate: &str, version: i64) {
    let account = account();
    let about = AggregateRef {
        context: Reviews::NAME,
        aggregate: "review_case",
        account: &account,
        id: aggregate,
        version,
    };
    let cause = Cause {
        actor: "a-member",
        request_id: "a-request",
        time: Clock::system().now(),
    };
    let event = Event::new(about, cause, &OpportunityDiscarded::default());
    append(tx, &event).await.expect("an appended event");
}

/// Records the versions of applied events in order. Fails once if `fails_once` is set.
#[derive(Clone, Default)]
struct Recorder {
    applied: Arc<Mutex<Vec<i64>>>,
    fails_once: Arc<AtomicBool>,
    /// Events of this aggregate are written, and then refused.
    refused: Option<&'static str>,
}

impl Recorder {
    fn applied(&self) -> Vec<i64> {
        self.applied.lock().expect("the applied versions").clone()
    }
}

impl Handler for Recorder {
    type Prepared = ();
    const READS_PEERS: bool = false;

    async fn prepare(&self, _: &Delivery) -> Result<(), HandlerError> {
        Ok(())
    }

    async fn apply(&self, tx: &mut Tx, delivery: &Delivery, (): ()) -> Result<(), HandlerError> {
        let row = sqlx::query(
            "INSERT INTO request (account_id, actor, request_id, method, fingerprint, resource, create_time)
             VALUES ($1, 'x', $2, 'x', '', 'x', now())",
        );
        let row = row.bind(delivery.account.as_str()).bind(delivery.event_id);
        row.execute(tx.conn()).await.map_err(Error::from)?;
        if self.refused == Some(delivery.aggregate_id.as_str()) {
            return Err(HandlerError::permanent("refused"));
        }
        if self.fails_once.swap(false, Ordering::SeqCst) {
            return Err(HandlerError::Transient("not now".to_owned()));
        }
        self.applied
            .lock()
            .expect("the applied versions")
            .push(delivery.version);
        Ok(())
    }
}

/// Publishes 30 events of one aggregate and returns their versions in the order of publishing.
async fn published_versions(sabotage: Sabotage) -> Vec<i64> {
    let fixture = Fixture::new().await;
    for version in 1..=30 {
        fixture.append("rc-1", version).await;
    }
    let running = fixture.relay(sabotage);
    let events = fixture.peer.first_events(Reviews::NAME, 30).await;
    fixture.stop(running).await;
    events
        .iter()
        .map(|event| event.header("ce-sequence").parse().expect("a number"))
        .collect()
}

#[tokio::test]
async fn plt_009_events_of_an_aggregate_are_published_in_order() {
    let in_order: Vec<_> = (1..=30).collect();
    assert_eq!(published_versions(Sabotage::None).await, in_order);
    assert_ne!(
        published_versions(Sabotage::SkipLocked).await,
        in_order,
        "the sabotage is not detected"
    );
}

/// The aggregates of published events when the event with the first sequence number is committed last.
async fn published_after_a_late_commit(sabotage: Sabotage) -> Vec<String> {
    let fixture = Fixture::new().await;
    let mut late = fixture.tx().await;
    append_to(&mut late, "late", 1).await;
    fixture.append("early", 1).await;
    let running = fixture.relay(sabotage);
    fixture.peer.first_events(Reviews::NAME, 1).await;
    late.commit().await.expect("a commit");
    fixture.append("last", 1).await;
    let events = fixture.peer.first_events(Reviews::NAME, 2).await;
    fixture.stop(running).await;
    events
        .iter()
        .map(|event| event.header("ce-subject").to_owned())
        .collect()
}

#[tokio::test]
async fn plt_009_event_that_commits_late_is_published() {
    assert_eq!(
        published_after_a_late_commit(Sabotage::None).await,
        ["early", "late"]
    );
    let skipped = published_after_a_late_commit(Sabotage::SequenceCursor).await;
    assert_eq!(skipped, ["early", "last"], "the sabotage is not detected");
}

/// The versions that are applied when events arrive out of order and one of them twice.
async fn applied_after_shuffle(sabotage: Sabotage) -> Vec<i64> {
    let fixture = Fixture::new().await;
    let recorder = Recorder::default();
    let running = fixture.consume(recorder.clone(), sabotage);
    let ids = [PeerStub::id(), PeerStub::id(), PeerStub::id()];
    for version in [2, 1, 1, 3, 2] {
        fixture
            .deliver(
                &ids[version - 1],
                "O1",
                i64::try_from(version).expect("a version"),
            )
            .await;
    }
    fixture.wait_until_drained().await;
    fixture.stop(running).await;
    recorder.applied()
}

#[tokio::test]
async fn plt_009_event_is_applied_once_and_in_order() {
    assert_eq!(applied_after_shuffle(Sabotage::None).await, [1, 2, 3]);
    let shuffled = applied_after_shuffle(Sabotage::NoGuard).await;
    assert_ne!(shuffled, [1, 2, 3], "the sabotage is not detected");
}

/// The versions that are applied when the first attempt fails.
async fn applied_at_second_attempt(sabotage: Sabotage) -> Vec<i64> {
    let fixture = Fixture::new().await;
    let recorder = Recorder::default();
    recorder.fails_once.store(true, Ordering::SeqCst);
    let running = fixture.consume(recorder.clone(), sabotage);
    fixture.deliver(&PeerStub::id(), "O1", 1).await;
    fixture.wait_until_drained().await;
    fixture.stop(running).await;
    recorder.applied()
}

#[tokio::test]
async fn plt_009_event_is_acknowledged_only_after_its_effect_is_committed() {
    assert_eq!(applied_at_second_attempt(Sabotage::None).await, [1]);
    let lost = applied_at_second_attempt(Sabotage::AckFirst).await;
    assert!(lost.is_empty(), "the sabotage is not detected");
}

/// Events of several accounts and aggregates are applied in one transaction.
#[tokio::test]
async fn plt_009_event_that_fails_in_a_batch_is_undone_alone() {
    const AGGREGATES: i64 = 30;
    const ACCOUNTS: [&str; 2] = [ACCOUNT, "222222222222"];
    let fixture = Fixture::new().await;
    let recorder = Recorder {
        refused: Some("O3"),
        ..Recorder::default()
    };
    // The consumer creates the stream. It does not run while the events are published, so that it receives all at once.
    let consumer = fixture.consume(recorder.clone(), Sabotage::None);
    fixture.deliver(&PeerStub::id(), "first", 1).await;
    fixture.wait_until_drained().await;
    consumer.abort();
    for version in [1, 2] {
        for (account, number) in ACCOUNTS
            .iter()
            .flat_map(|account| (0..AGGREGATES).map(move |number| (account, number)))
        {
            let aggregate = format!("O{number}");
            fixture
                .deliver_to(account, &PeerStub::id(), &aggregate, version)
                .await;
        }
    }
    let running = fixture.consume(recorder.clone(), Sabotage::None);
    fixture.wait_until_drained().await;
    let applied = 2 * 2 * (AGGREGATES - 1);
    let mut admin = fixture.data.admin::<Reviews>().await;
    for (rows, count) in [
        ("request", 1 + applied),
        ("inbox", 1 + applied),
        ("aggregate_cursor WHERE version = 2 AND NOT parked", applied / 2),
        ("aggregate_cursor WHERE version = 0 AND parked", 2),
        (
            "dead_letter WHERE error_class = 'permanent' AND aggregate_version = 1",
            2,
        ),
        (
            "dead_letter WHERE error_class = 'parked' AND aggregate_version = 2",
            2,
        ),
    ] {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {rows}"));
        let found: i64 = sqlx::query_scalar(sql)
            .fetch_one(&mut admin)
            .await
            .expect("a count");
        assert_eq!(found, count, "{rows}");
    }
    assert_eq!(
        recorder.applied().len(),
        usize::try_from(1 + applied).expect("a number")
    );
    fixture.stop(running).await;
}

/// More aggregates wait for an earlier event than a consumer has events in flight; the earlier events are still
/// delivered.
#[tokio::test]
async fn plt_009_waiting_events_do_not_block_others() {
    const AGGREGATES: usize = 300;
    let fixture = Fixture::new().await;
    let recorder = Recorder::default();
    let running = fixture.consume(recorder.clone(), Sabotage::None);
    for version in [2, 1] {
        for number in 0..AGGREGATES {
            fixture
                .deliver(&PeerStub::id(), &format!("O{number}"), version)
                .await;
        }
    }
    fixture.wait_until_drained().await;
    fixture.stop(running).await;
    assert_eq!(recorder.applied().len(), 2 * AGGREGATES);
}

/// The broker loses its store; the relay recreates the stream without a restart.
#[tokio::test]
async fn plt_009_lost_stream_is_recreated() {
    let mut fixture = Fixture::new().await;
    let running = fixture.relay(Sabotage::None);
    fixture.append("rc-1", 1).await;
    fixture.peer.first_events(Reviews::NAME, 1).await;
    fixture.nats.crash();
    fixture.nats.delete_store().expect("an empty store");
    fixture.nats.resume().expect("NATS again");
    fixture.append("rc-1", 2).await;
    let mut events = fixture.peer.first_events(Reviews::NAME, 1).await;
    // The first event may be republished: the broker may have crashed before its pointer was deleted.
    if events[0].header("ce-sequence") == "1" {
        events = fixture.peer.first_events(Reviews::NAME, 2).await;
    }
    assert_eq!(events[events.len() - 1].header("ce-sequence"), "2");
    fixture.stop(running).await;
}

/// A relay ends without releasing its leases; another acquires them after they expire, with a new epoch.
#[tokio::test]
async fn plt_009_expired_lease_is_acquired_by_another_relay() {
    let fixture = Fixture::new().await;
    let first = fixture.relay(Sabotage::None);
    fixture.append("rc-1", 1).await;
    fixture.peer.first_events(Reviews::NAME, 1).await;
    first.abort();
    fixture.append("rc-1", 2).await;
    let second = fixture.relay(Sabotage::None);
    let events = fixture.peer.first_events(Reviews::NAME, 2).await;
    assert_eq!(events[1].header("ce-sequence"), "2");
    let mut tx = fixture
        .database
        .work
        .tx(&Scope::work())
        .await
        .expect("a transaction");
    let epochs: Vec<i64> = sqlx::query_scalar("SELECT DISTINCT epoch FROM relay_lease")
        .fetch_all(tx.conn())
        .await
        .expect("the leases");
    // The epoch can be higher on a slow machine, where a lease can expire while its holder runs.
    assert!(
        !epochs.is_empty() && epochs.iter().all(|epoch| *epoch >= 2),
        "each lease has a new holder: {epochs:?}"
    );
    drop(tx);
    fixture.stop(second).await;
}
