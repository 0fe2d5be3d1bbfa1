//! Runs Python programs with the packages of the test run and with stubs generated from `proto/`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use cosell_testkit::harness::python_packages;
use cosell_tests::TestServers;
use cosell_tests::repository::{files, root};

pub fn python() -> Command {
    let mut command = Command::new("python3");
    command
        .env("PYTHONPATH", python_packages())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Generates the stubs of all services and returns their folder.
pub fn stubs(servers: &TestServers) -> PathBuf {
    let stubs = servers.folder().join("stubs");
    fs::create_dir(&stubs).expect("a folder");
    let definitions = files("proto", ".proto");
    let names = definitions
        .iter()
        .map(|file| file.path.trim_start_matches("proto/"))
        // The Python libraries contain these messages.
        .filter(|name| !name.starts_with("google/"));
    let mut generate = python();
    generate
        .args(["-m", "grpc_tools.protoc", "--proto_path", "."])
        .arg(format!("--python_out={}", stubs.display()))
        .arg(format!("--grpc_python_out={}", stubs.display()))
        .args(names)
        .current_dir(root().join("proto"));
    run(&mut generate, "generating the stubs");
    stubs
}

/// Runs a program and fails unless it succeeds.
#[track_caller]
pub fn run(command: &mut Command, what: &str) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(
        output.status.success(),
        "{what} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
