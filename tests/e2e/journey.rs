//! The journey of many opportunities from registration to validation, once with this repository's own client and once
//! with a client in another language that knows nothing but `proto/`.

use cosell::demo;
use cosell_testkit::harness::python_packages;
use cosell_tests::INPUT;
use cosell_tests::World;
use cosell_tests::repository::root;

use crate::python::{python, run, stubs};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_concerned_learns_of_everything_and_nobody_else_of_anything() {
    let world = World::start();
    let running = world.run().await;
    let input = demo::read(&root().join(INPUT)).expect("the input");
    assert!(input.records.len() >= 25, "the journey lives from its variety");
    let mut told = Vec::new();
    let mut tell = |line: &demo::Line| told.push(line.clone());
    let played = demo::play(&running.info, &world.mail(), &input, &mut tell).await;
    if let Err(error) = played {
        panic!("{error:#}\nafter {told:#?}");
    }
    for wanted in [
        "is refused",
        "withdraws",
        "REJECT",
        "ACTION_REQUIRED",
        "sees none of the",
    ] {
        assert!(
            told.iter().any(|line| line.what.contains(wanted)),
            "{wanted:?} was not part of it"
        );
    }
    world.settled().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_in_python() {
    let world = World::start();
    let running = world.run().await;
    let stubs = stubs(&world);
    let mut play = python();
    let path = [stubs, python_packages()];
    play.env("PYTHONPATH", std::env::join_paths(path).expect("a search path"))
        .arg(root().join("tests/e2e/journey.py"))
        .arg("--address")
        .arg(running.info.address.trim_start_matches("http://"))
        .arg("--tokens")
        .arg(&running.info.tokens)
        .arg("--mail")
        .arg(world.mail())
        .arg("--input")
        .arg(root().join(INPUT));
    let told = tokio::task::spawn_blocking(move || run(&mut play, "the journey"))
        .await
        .expect("an end");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.ends_with("arrived\n"), "{told}");
    world.settled().await;
    running.stop().await;
}
