//! The process aborts between two steps of one operation.

use cosell_testkit::harness::eventually_within;
use cosell_tests::{RECOVERY, STEPS_PER_OPPORTUNITY, ServiceProcess, TestServers, Workload, baseline};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");
const OPPORTUNITIES: usize = 4;

/// Runs opportunities through a sequence of processes, each of which aborts at the crash point after passing it the
/// given number of times.
async fn run_through_crashes(point: &str, passes: &[usize]) {
    let servers = TestServers::start();
    let address = ServiceProcess::address();
    // The first process seeds the directory, so that the crashes hit the work of the opportunities.
    ServiceProcess::start(PROGRAM, &servers, address, &[])
        .await
        .stop();
    let mut workload = None;
    for passes in passes {
        let failpoints = format!("{point}={passes}*off->1*return");
        let started =
            ServiceProcess::try_start(PROGRAM, &servers, address, &[("FAILPOINTS", &failpoints)]).await;
        let mut child = match started {
            Ok(child) => child,
            Err(exit) => {
                exit.assert_crash_point();
                continue;
            }
        };
        workload.get_or_insert_with(|| Workload::start(&child.info, OPPORTUNITIES));
        eventually_within(RECOVERY, async || {
            let exit = child.exit();
            exit.ok_or_else(|| format!("the process has not passed {point} {passes} times"))
        })
        .await
        .assert_crash_point();
    }
    let workload = workload.expect("a workload");
    let steps = workload.progress().steps_done();
    assert!(
        steps < OPPORTUNITIES * STEPS_PER_OPPORTUNITY,
        "all opportunities completed before the last crash"
    );
    let child = ServiceProcess::start(PROGRAM, &servers, address, &[]).await;
    let ids = workload.finish().await;
    baseline::assert_same_effects(&servers, &child.info, &ids).await;
    child.stop();
}

/// The broker has stored the event, and the outbox still has it as pending.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_crash_between_publishing_and_outbox_deletion_has_no_effect() {
    run_through_crashes("relay-published", &[1, 7]).await;
}

/// The effect of the event is committed, and the event is not acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_crash_between_effect_and_acknowledgement_has_no_effect() {
    run_through_crashes("consumer-committed", &[1, 7]).await;
}

/// The change is committed, and its event is not published.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_crash_between_commit_and_publishing_has_no_effect() {
    run_through_crashes("relay-read", &[1, 7]).await;
}
