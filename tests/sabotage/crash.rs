//! The process ends between two steps that belong together.

use cosell_testkit::harness::eventually_within;
use cosell_tests::{Child, RECOVERY, STEPS, Workload, World, ledger};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");
const TRAVELLERS: usize = 4;

/// Runs travellers through processes that end at the crash point, each after having passed it so many times.
async fn crashing_at(point: &str, passes: &[usize]) {
    let world = World::start();
    let address = Child::address();
    // The first one lives long enough to take everybody into the directory: what crashes is the travellers' work.
    Child::start(PROGRAM, &world, address, &[]).await.stop();
    let mut workload = None;
    for passes in passes {
        let failpoints = format!("{point}={passes}*off->1*return");
        let started = Child::try_start(PROGRAM, &world, address, &[("FAILPOINTS", &failpoints)]).await;
        let mut child = match started {
            Ok(child) => child,
            Err(ended) => {
                ended.at_crash_point();
                continue;
            }
        };
        workload.get_or_insert_with(|| Workload::start(&child.info, TRAVELLERS));
        eventually_within(RECOVERY, async || {
            let ended = child.ended();
            ended.ok_or_else(|| format!("it never came to {point} for the {passes}th time"))
        })
        .await
        .at_crash_point();
    }
    let workload = workload.expect("travellers");
    let taken = workload.progress().taken();
    assert!(
        taken < TRAVELLERS * STEPS,
        "they had arrived before the last crash"
    );
    let child = Child::start(PROGRAM, &world, address, &[]).await;
    let ids = workload.arrive().await;
    ledger::check(&world, &child.info, &ids).await;
    child.stop();
}

/// Between commit and publish lies the relay's crash point: stored by the broker, still pending in the outbox.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_a_crash_after_publishing_and_before_noting_it_changes_nothing() {
    crashing_at("relay-published", &[1, 7]).await;
}

/// The effect is committed, and the broker was not told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_a_crash_after_the_effect_and_before_its_acknowledgement_changes_nothing() {
    crashing_at("consumer-committed", &[1, 7]).await;
}

/// The change is committed, and nothing was published.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_a_crash_after_the_commit_and_before_publishing_changes_nothing() {
    crashing_at("relay-read", &[1, 7]).await;
}
