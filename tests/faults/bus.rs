//! NATS crashes, loses its store, or delivers events twice and out of order.

use async_nats::HeaderMap;
use cosell_events::{JournalRange, republish};
use cosell_store::{Database, DbArgs};
use cosell_testkit::harness::{PeerStub, eventually};
use cosell_tests::repository::contexts;
use cosell_tests::{STEPS_PER_OPPORTUNITY, ServiceProcess, TestServers, Workload, baseline};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row as _};

const OPPORTUNITIES: usize = 8;

/// The number of events of all services that are not published yet.
async fn pending_events(servers: &TestServers) -> i64 {
    let mut sum = 0;
    for service in contexts() {
        sum += servers
            .count(&format!("SELECT count(*) FROM {service}.outbox_pending"))
            .await;
    }
    sum
}

/// Waits until this many events are pending.
async fn wait_for_pending_events(servers: &TestServers, events: i64) {
    eventually(async || match pending_events(servers).await {
        pending if pending >= events => Ok(()),
        pending => Err(format!("{pending} events are pending")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_events_survive_crashes_of_nats() {
    let mut servers = TestServers::start();
    let running = servers.run().await;
    let workload = Workload::start(&running.info, OPPORTUNITIES);
    for share in [1, 4, 7] {
        workload
            .progress()
            .wait_for_steps(OPPORTUNITIES * STEPS_PER_OPPORTUNITY * share / 10)
            .await;
        servers.nats.crash();
        // Calls continue without NATS.
        wait_for_pending_events(&servers, 1).await;
        servers.nats.resume().expect("NATS again");
    }
    let ids = workload.finish().await;
    baseline::assert_same_effects(&servers, &running.info, &ids).await;
    running.stop().await;
}

/// NATS loses published events that were not applied yet; the journal still has them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_lost_events_are_republished_from_the_journal() {
    let mut servers = TestServers::start();
    let running = servers.run().await;
    let workload = Workload::start(&running.info, OPPORTUNITIES);
    workload
        .progress()
        .wait_for_steps(OPPORTUNITIES * STEPS_PER_OPPORTUNITY / 3)
        .await;
    servers.nats.crash();
    servers.nats.delete_store().expect("an empty store");
    servers.nats.resume().expect("NATS again");
    for service in contexts() {
        let args = DbArgs {
            database_url: servers.args().database_url,
            database_secrets: Some(servers.state().join("secrets")),
            database_pool: 1,
        };
        let database = Database::open(&args, &service).expect("a database");
        republish(&database.work, &JournalRange::default())
            .await
            .expect("republished events");
        database.close().await;
    }
    let ids = workload.finish().await;
    baseline::assert_same_effects(&servers, &running.info, &ids).await;
    running.stop().await;
}

/// The pending events of all services, latest first: subject, headers, payload.
async fn pending_events_latest_first(servers: &TestServers) -> Vec<(String, HeaderMap, Vec<u8>)> {
    let mut admin = servers.admin().await;
    let mut found = Vec::new();
    for service in contexts() {
        let sql = format!(
            "SELECT subject, payload, jsonb_build_object('ce-specversion', '1.0', 'ce-source', '/cosell/{service}',
               'ce-id', event_id, 'ce-type', type, 'ce-subject', event.aggregate_id, 'ce-time', occurred_at,
               'ce-sequence', aggregate_version::text, 'ce-accountid', account_id,
               'ce-actor', headers->'actor', 'ce-requestid', headers->'request_id') AS headers
             FROM {service}.event_journal AS event JOIN {service}.outbox_pending USING (seq, occurred_at) ORDER BY seq DESC"
        );
        let events = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut admin).await;
        for event in events.expect("events") {
            let texts: Value = event.get("headers");
            let mut headers = HeaderMap::new();
            for (name, text) in texts.as_object().expect("headers") {
                headers.insert(name.as_str(), text.as_str().expect("a text"));
            }
            found.push((event.get("subject"), headers, event.get("payload")));
        }
    }
    found
}

/// While the services are stopped, publishes every pending event twice and in reverse order. Then the relays publish
/// them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_duplicate_and_reordered_events_are_applied_once_in_order() {
    let mut servers = TestServers::start();
    let mut args = servers.args();
    args.listen = ServiceProcess::address();
    let running = servers.run_with(&args).await;
    let workload = Workload::start(&running.info, OPPORTUNITIES);
    workload
        .progress()
        .wait_for_steps(OPPORTUNITIES * STEPS_PER_OPPORTUNITY / 3)
        .await;
    servers.nats.crash();
    // Enough for several events of one aggregate: its review has started and is decided.
    wait_for_pending_events(&servers, 4).await;
    running.stop().await;
    servers.nats.resume().expect("NATS again");
    let peer = PeerStub::new(&servers.nats.url()).await;
    for _ in 0..2 {
        for (subject, mut headers, payload) in pending_events_latest_first(&servers).await {
            // Another message id than the relay's, so that the broker does not deduplicate.
            headers.insert("Nats-Msg-Id", PeerStub::id().as_str());
            peer.publish_raw(&subject, headers, payload).await;
        }
    }
    let running = servers.run_with(&args).await;
    let ids = workload.finish().await;
    baseline::assert_same_effects(&servers, &running.info, &ids).await;
    running.stop().await;
}
