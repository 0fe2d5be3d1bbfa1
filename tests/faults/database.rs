//! PostgreSQL goes away and comes back.

use cosell_tests::{STEPS, Workload, World, ledger};

const TRAVELLERS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plt_009_postgres_crashes_in_the_middle_of_the_journey() {
    let mut world = World::start();
    let running = world.run().await;
    let workload = Workload::start(&running.info, TRAVELLERS);
    for share in [2, 5, 8] {
        workload.progress().reaches(TRAVELLERS * STEPS * share / 10).await;
        world.postgres.crash();
        world.postgres.resume().expect("PostgreSQL again");
    }
    let ids = workload.arrive().await;
    ledger::check(&world, &running.info, &ids).await;
    running.stop().await;
}
