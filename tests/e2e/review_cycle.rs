//! Runs opportunities from creation to review decisions, once with the demo of this repository and once with a Python
//! client that is generated from `proto/` only.

use cosell::demo;
use cosell_testkit::harness::python_packages;
use cosell_tests::DEMO_INPUT;
use cosell_tests::TestServers;
use cosell_tests::repository::root;

use crate::python::{python, run, stubs};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demo_scenario_notifies_only_the_concerned_members() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let input = demo::read_input(&root().join(DEMO_INPUT)).expect("the input");
    assert!(
        input.records.len() >= 25,
        "the demo needs at least 25 different records"
    );
    let mut timeline = Vec::new();
    let mut report = |entry: &demo::TimelineEntry| timeline.push(entry.clone());
    let result = demo::run(&running.info, &servers.mail(), &input, &mut report).await;
    if let Err(error) = result {
        panic!("{error:#}\nafter {timeline:#?}");
    }
    for expected in [
        "is refused",
        "withdraws",
        "REJECT",
        "ACTION_REQUIRED",
        "sees none of the",
    ] {
        assert!(
            timeline.iter().any(|entry| entry.event.contains(expected)),
            "the timeline has no entry with {expected:?}"
        );
    }
    servers.wait_until_idle().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_client_runs_the_demo_scenario() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let stubs = stubs(&servers);
    let mut client = python();
    let path = [stubs, python_packages()];
    client
        .env("PYTHONPATH", std::env::join_paths(path).expect("a search path"))
        .arg(root().join("tests/e2e/review_cycle.py"))
        .arg("--address")
        .arg(running.info.address.trim_start_matches("http://"))
        .arg("--tokens")
        .arg(&running.info.tokens)
        .arg("--mail")
        .arg(servers.mail())
        .arg("--input")
        .arg(root().join(DEMO_INPUT));
    let output = tokio::task::spawn_blocking(move || run(&mut client, "review_cycle.py"))
        .await
        .expect("no panic");
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.ends_with("completed\n"), "{output}");
    servers.wait_until_idle().await;
    running.stop().await;
}
