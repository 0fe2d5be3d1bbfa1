//! The process is killed without notice, again and again.

use cosell_tests::{Child, STEPS, Workload, World, ledger};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");
const TRAVELLERS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_killed_at_any_time_it_goes_on_where_it_was() {
    let world = World::start();
    let address = Child::address();
    let mut child = Child::start(PROGRAM, &world, address, &[]).await;
    let workload = Workload::start(&child.info, TRAVELLERS);
    // While they are created, submitted, reviewed, corrected, and reviewed again.
    for share in [2, 5, 8] {
        workload.progress().reaches(TRAVELLERS * STEPS * share / 10).await;
        child.kill();
        child = Child::start(PROGRAM, &world, address, &[]).await;
    }
    let ids = workload.arrive().await;
    ledger::check(&world, &child.info, &ids).await;
    child.stop();
}

/// A rolling update: the process is asked to end while calls are made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_asked_to_end_it_finishes_what_it_has_in_hand() {
    let world = World::start();
    let address = Child::address();
    let mut child = Child::start(PROGRAM, &world, address, &[]).await;
    let workload = Workload::start(&child.info, TRAVELLERS);
    for share in [2, 6] {
        workload.progress().reaches(TRAVELLERS * STEPS * share / 10).await;
        let log = child.stop();
        assert!(!log.contains("panicked"), "{log}");
        child = Child::start(PROGRAM, &world, address, &[]).await;
    }
    let ids = workload.arrive().await;
    ledger::check(&world, &child.info, &ids).await;
    child.stop();
}
