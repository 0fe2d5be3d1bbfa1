//! Accounts stay apart, whoever asks for what.

use cosell_tests::World;
use cosell_tests::isolation::Scene;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_011_012_020_nobody_learns_or_changes_anything_of_another_account() {
    let world = World::start();
    let running = world.run().await;
    let scene = Scene::new(&world, running.channel(), &running.info);
    let records = scene.records().await;
    scene.strangers_learn_and_change_nothing(&records, &[]).await;
    running.stop().await;
}
