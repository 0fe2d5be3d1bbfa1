//! PostgreSQL crashes and restarts.

use cosell_tests::{STEPS_PER_OPPORTUNITY, TestServers, Workload, baseline};

const OPPORTUNITIES: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_opportunities_complete_despite_crashes_of_postgres() {
    let mut servers = TestServers::start();
    let running = servers.run().await;
    let workload = Workload::start(&running.info, OPPORTUNITIES);
    for share in [2, 5, 8] {
        workload
            .progress()
            .wait_for_steps(OPPORTUNITIES * STEPS_PER_OPPORTUNITY * share / 10)
            .await;
        servers.postgres.crash();
        servers.postgres.resume().expect("PostgreSQL again");
    }
    let ids = workload.finish().await;
    baseline::assert_same_effects(&servers, &running.info, &ids).await;
    running.stop().await;
}
