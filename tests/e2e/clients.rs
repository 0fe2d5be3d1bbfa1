//! The client packages as they are installed, with their newest and their oldest dependencies.

use std::fs;
use std::path::Path;
use std::process::Command;

use cosell_testkit::harness::client_package;
use cosell_tests::TestServers;
use cosell_tests::repository::{read, root};

use crate::python::run;

const ENVIRONMENTS: [&str; 2] = ["client-newest", "client-oldest"];

/// Python with an installed package and nothing else.
pub fn client_python(environment: &str) -> Command {
    let mut command = Command::new("python3");
    command
        .arg("-s")
        .env("PYTHONPATH", client_package(environment))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(root());
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_client_completes_conformance_journey() {
    let servers = TestServers::start();
    let running = servers.run().await;
    let address = running.info.address.trim_start_matches("http://").to_owned();
    let tokens = running.info.tokens.clone();
    let journeys = tokio::task::spawn_blocking(move || {
        ENVIRONMENTS.map(|environment| {
            let mut journey = client_python(environment);
            journey
                .args(["clients/conformance/journey.py", &address])
                .arg(&tokens);
            let output = run(&mut journey, environment);
            String::from_utf8(output.stdout).expect("text")
        })
    });
    for (environment, lines) in ENVIRONMENTS.into_iter().zip(journeys.await.expect("journeys")) {
        assert_eq!(lines, read("clients/conformance/journey.txt"), "{environment}");
    }
    running.stop().await;
}

#[test]
fn python_client_repeats_only_what_is_safe() {
    for environment in ENVIRONMENTS {
        run(
            client_python(environment).args(["-m", "unittest", "clients/python/tests/test_client.py"]),
            environment,
        );
    }
}

/// Other packages bring their own copies of these definitions, and two copies of a file cannot be imported together.
#[test]
fn python_client_has_no_definitions_of_others() {
    for environment in ENVIRONMENTS {
        let package = client_package(environment);
        assert!(!package.join("buf").exists(), "{environment}");
        let installed = fs::read_dir(&package).expect("packages").flatten();
        let metadata = installed
            .map(|entry| entry.path())
            .find(|path| path.to_string_lossy().contains("cosell_client-"))
            .expect("the metadata of the package");
        let files = fs::read_to_string(metadata.join("RECORD")).expect("a list of files");
        let others: Vec<_> = files.lines().filter(|line| !line.starts_with("cosell")).collect();
        assert_eq!(others, Vec::<&str>::new(), "{environment}");
        assert!(Path::new(&metadata).join("licenses/LICENSE").exists());
    }
}
