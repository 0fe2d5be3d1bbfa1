//! NATS goes away, comes back, loses everything, or delivers twice and in the wrong order.

use async_nats::HeaderMap;
use cosell_events::{Range, republish};
use cosell_store::{Database, DbArgs};
use cosell_testkit::harness::{FarEnd, eventually};
use cosell_tests::repository::contexts;
use cosell_tests::{Child, STEPS, Workload, World, ledger};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row as _};

const TRAVELLERS: usize = 8;

/// Events that wait to be published, of all services.
async fn pending(world: &World) -> i64 {
    let mut sum = 0;
    for service in contexts() {
        sum += world
            .count(&format!("SELECT count(*) FROM {service}.outbox_pending"))
            .await;
    }
    sum
}

/// Returns when so many events wait to be published.
async fn piles_up(world: &World, events: i64) {
    eventually(async || match pending(world).await {
        waiting if waiting >= events => Ok(()),
        waiting => Err(format!("{waiting} events wait to be published")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_nats_crashes_in_the_middle_of_the_journey() {
    let mut world = World::start();
    let running = world.run().await;
    let workload = Workload::start(&running.info, TRAVELLERS);
    for share in [1, 4, 7] {
        workload.progress().reaches(TRAVELLERS * STEPS * share / 10).await;
        world.nats.crash();
        // Partners and reviewers go on without it.
        piles_up(&world, 1).await;
        world.nats.resume().expect("NATS again");
    }
    let ids = workload.arrive().await;
    ledger::check(&world, &running.info, &ids).await;
    running.stop().await;
}

/// The store is gone, and with it what was published and not yet applied: the journal still has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_what_nats_loses_is_published_again_out_of_the_journal() {
    let mut world = World::start();
    let running = world.run().await;
    let workload = Workload::start(&running.info, TRAVELLERS);
    workload.progress().reaches(TRAVELLERS * STEPS / 3).await;
    world.nats.crash();
    world.nats.forget().expect("an empty store");
    world.nats.resume().expect("NATS again");
    for service in contexts() {
        let args = DbArgs {
            database_url: world.args().database_url,
            database_secrets: Some(world.state().join("secrets")),
            database_pool: 1,
        };
        let database = Database::open(&args, &service).expect("a database");
        republish(&database.work, &Range::default())
            .await
            .expect("events of the journal");
        database.close().await;
    }
    let ids = workload.arrive().await;
    ledger::check(&world, &running.info, &ids).await;
    running.stop().await;
}

/// What waits to be published, latest first: subject, headers, payload.
async fn waiting_latest_first(world: &World) -> Vec<(String, HeaderMap, Vec<u8>)> {
    let mut admin = world.admin().await;
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

/// While nothing runs, the stream fills with every event twice and backwards. Then the relays add their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_events_come_twice_and_backwards() {
    let mut world = World::start();
    let mut args = world.args();
    args.listen = Child::address();
    let running = world.run_with(&args).await;
    let workload = Workload::start(&running.info, TRAVELLERS);
    workload.progress().reaches(TRAVELLERS * STEPS / 3).await;
    world.nats.crash();
    // Several of one aggregate: it was started on and decided.
    piles_up(&world, 4).await;
    running.stop().await;
    world.nats.resume().expect("NATS again");
    let far = FarEnd::new(&world.nats.url()).await;
    for _ in 0..2 {
        for (subject, mut headers, payload) in waiting_latest_first(&world).await {
            // Not the message id that the broker would know it by.
            headers.insert("Nats-Msg-Id", FarEnd::id().as_str());
            far.publish_raw(&subject, headers, payload).await;
        }
    }
    let running = world.run_with(&args).await;
    let ids = workload.arrive().await;
    ledger::check(&world, &running.info, &ids).await;
    running.stop().await;
}
