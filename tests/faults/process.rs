//! The process is killed or stopped repeatedly.

use cosell_tests::{STEPS_PER_OPPORTUNITY, ServiceProcess, TestServers, Workload, baseline};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");
const OPPORTUNITIES: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_resumes_after_kill_at_any_point() {
    let servers = TestServers::start();
    let address = ServiceProcess::address();
    let mut child = ServiceProcess::start(PROGRAM, &servers, address, &[]).await;
    let workload = Workload::start(&child.info, OPPORTUNITIES);
    // Kills during creation, submission, review, correction and second review.
    for share in [2, 5, 8] {
        workload
            .progress()
            .wait_for_steps(OPPORTUNITIES * STEPS_PER_OPPORTUNITY * share / 10)
            .await;
        child.kill();
        child = ServiceProcess::start(PROGRAM, &servers, address, &[]).await;
    }
    let ids = workload.finish().await;
    baseline::assert_same_effects(&servers, &child.info, &ids).await;
    child.stop();
}

/// A rolling update: the process receives SIGTERM while clients call it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_stopped_process_finishes_work_in_flight() {
    let servers = TestServers::start();
    let address = ServiceProcess::address();
    let mut child = ServiceProcess::start(PROGRAM, &servers, address, &[]).await;
    let workload = Workload::start(&child.info, OPPORTUNITIES);
    for share in [2, 6] {
        workload
            .progress()
            .wait_for_steps(OPPORTUNITIES * STEPS_PER_OPPORTUNITY * share / 10)
            .await;
        let log = child.stop();
        assert!(!log.contains("panicked"), "{log}");
        child = ServiceProcess::start(PROGRAM, &servers, address, &[]).await;
    }
    let ids = workload.finish().await;
    baseline::assert_same_effects(&servers, &child.info, &ids).await;
    child.stop();
}
