//! Services that take a stranger for somebody of the account itself, or for AWS: row-level security alone keeps accounts
//! apart.

use cosell_testkit::harness::member;
use cosell_tests::isolation::Scene;
use cosell_tests::{Child, Collector, World};
use cosell_types::{ClosedList as _, Role, Side};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cosell-under-test");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_011_012_020_without_the_services_own_care_accounts_stay_apart() {
    let world = World::start();
    let (collector, endpoint) = Collector::start().await;
    let environment = [("COSELL_OTLP_ENDPOINT", endpoint.as_str())];
    let child = Child::start(PROGRAM, &world, Child::address(), &environment).await;
    let scene = Scene::new(&world, child.channel(), &child.info);
    let records = scene.records().await;
    let of = |side| -> Vec<_> {
        Role::ALL
            .iter()
            .copied()
            .filter(|role: &Role| role.side() == side)
            .collect()
    };
    let taken_for = [
        // Somebody of the account who may do everything there.
        member(
            "alder-alliance-lead",
            cosell::ALDER,
            Side::Partner,
            &of(Side::Partner),
        ),
        // AWS, which reads what was submitted and decides about it.
        member("aws-reviewer", cosell::AWS, Side::Aws, &of(Side::Aws)),
    ];
    scene
        .strangers_learn_and_change_nothing(&records, &taken_for)
        .await;
    child.stop();
    let metrics = collector.metric_names();
    assert!(
        metrics.contains("tenant.isolation.backstop"),
        "the database refused nothing by itself: {metrics:?}"
    );
}
