//! Runs tests with nextest if it is installed, which runs tests of all crates concurrently, and else with cargo's
//! runner. Groups tests into tiers, sets their concurrency, and parses failures from the runner's output. `report.rs`
//! reports them.

use std::num::NonZero;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// The concurrency limit of tests that run all services, as in .config/nextest.toml. These tests mostly wait, so the
/// limit does not depend on the number of processors.
const PLATFORM_THREADS: &str = "4";

/// A group of tests that one command runs.
pub struct Tier {
    /// The name that is printed.
    pub name: &'static str,
    arguments: Vec<String>,
    /// Whether each of them runs all services.
    is_platform: bool,
    /// Whether the caller selected them.
    is_selected: bool,
}

/// The test runner of this machine.
pub struct Runner {
    is_nextest: bool,
}

impl Runner {
    /// Uses nextest if it is installed.
    pub fn find() -> Self {
        let version = Command::new("cargo")
            .args(["nextest", "--version"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        Self {
            is_nextest: version.is_ok_and(|status| status.success()),
        }
    }

    /// The tiers of all tests, or one tier with the selected tests.
    pub fn tiers(&self, selected: &[String]) -> Vec<Tier> {
        let tier = |name, arguments: &[&str], is_platform| Tier {
            name,
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            is_platform,
            is_selected: false,
        };
        if !selected.is_empty() {
            let is_scope =
                |argument: &String| ["-p", "--package", "--workspace"].contains(&argument.as_str());
            let scope = if selected.iter().any(is_scope) {
                None
            } else {
                Some("--workspace".to_owned())
            };
            return vec![Tier {
                name: "selected tests",
                arguments: scope.into_iter().chain(selected.iter().cloned()).collect(),
                is_platform: false,
                is_selected: true,
            }];
        }
        let sabotage = [
            "--package",
            "cosell-tests",
            "--features",
            "sabotage",
            "--test",
            "sabotage",
        ];
        let with_faults = tier("tests of the build with injected faults", &sabotage, true);
        if self.is_nextest {
            return vec![with_faults, tier("tests", &["--workspace"], false)];
        }
        vec![
            with_faults,
            tier("tests", &["--workspace", "--exclude", "cosell-tests"], false),
            tier("tests that span services", &["--package", "cosell-tests"], true),
        ]
    }

    /// Whether this line of the runner's output follows the build.
    pub fn is_built(&self, line: &str) -> bool {
        line.starts_with(if self.is_nextest { "Starting " } else { "Running " })
    }

    /// The command that runs a tier.
    pub fn command(&self, root: &Path, tier: &Tier) -> Command {
        let mut command = Command::new("cargo");
        if self.is_nextest {
            command.args(["nextest", "run"]);
            if tier.is_platform {
                command.args(["--test-threads", PLATFORM_THREADS]);
            } else if !tier.is_selected {
                command.args(["--test-threads", &threads().to_string()]);
            }
        } else {
            command.args(["test", "--no-fail-fast"]);
            // Selected tests may run all services, too.
            if tier.is_platform || tier.is_selected {
                command.env("RUST_TEST_THREADS", PLATFORM_THREADS);
            }
        }
        command.args(&tier.arguments).current_dir(root);
        command
    }

    /// A parser that is called with each line of the runner's output and returns the names of failed tests.
    pub fn failed_tests(&self) -> impl FnMut(&str) -> Option<String> {
        let is_nextest = self.is_nextest;
        let mut binary = String::new();
        move |line| {
            if is_nextest {
                failed_in_nextest(line)
            } else {
                failed_in_cargo(line, &mut binary)
            }
        }
    }
}

/// Builds tests of later tiers at low priority while those of the first one run. Excludes `cosell-tests`: its program
/// under test has the same path with and without injected faults, and the first tier still uses it.
pub fn build_ahead(root: &Path) -> Command {
    let mut command = Command::new("nice");
    command
        .args(["-n", "10", "cargo", "test", "--no-run", "--quiet"])
        .args(["--workspace", "--exclude", "cosell-tests"])
        .current_dir(root);
    command
}

/// Twice the number of processors: tests mostly wait for servers and timers.
fn threads() -> usize {
    2 * thread::available_parallelism().map_or(1, NonZero::get)
}

/// `Running tests/it/main.rs (target/debug/deps/it-0123456789abcdef)` precedes the tests of a binary. A binary that
/// exits without reporting a test is in the list at the end, as `` `-p package --test it` ``.
fn failed_in_cargo(line: &str, binary: &mut String) -> Option<String> {
    if let Some(started) = line.strip_prefix("Running ") {
        started.clone_into(binary);
    }
    if line.starts_with("`-p ") && line.ends_with('`') {
        return Some(line.trim_matches('`').to_owned());
    }
    let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
    Some(format!("{name} in {binary}"))
}

/// `TIMEOUT [ 600.002s] (12/630) package::binary module::test`
fn failed_in_nextest(line: &str) -> Option<String> {
    let (verdict, rest) = line.split_once(" [")?;
    let is_signal = verdict.starts_with("SIG") && verdict.chars().all(char::is_alphanumeric);
    let word = verdict.split_whitespace().next()?;
    if !is_signal && !["FAIL", "TIMEOUT", "ABORT", "LEAK-FAIL", "XFAIL"].contains(&word) {
        return None;
    }
    let (_, name) = rest.split_once("] ")?;
    let name = name.trim_start();
    let counted = name.strip_prefix('(').and_then(|rest| rest.split_once(") "));
    Some(counted.map_or(name, |(_, name)| name).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_tests_of_nextest_are_parsed() {
        for (line, name) in [
            (
                "FAIL [   0.005s] ( 3/630) cosell-tests::e2e access::acc_001",
                Some("cosell-tests::e2e access::acc_001"),
            ),
            (
                "TIMEOUT [ 600.002s] cosell-tests::e2e isolation",
                Some("cosell-tests::e2e isolation"),
            ),
            (
                "SIGABRT [   1.000s] (─────) cosell-review::it a::b",
                Some("cosell-review::it a::b"),
            ),
            (
                "FAIL + LEAK [   1.000s] (  4/630) cosell-review::it a::b",
                Some("cosell-review::it a::b"),
            ),
            (
                "ABORT SIG 11 [   1.000s] (  4/630) cosell-review::it a::b",
                Some("cosell-review::it a::b"),
            ),
            ("SLOW [> 60.000s] cosell-tests::e2e isolation", None),
            ("PASS [   0.005s] cosell-tests::e2e isolation", None),
            ("Summary [ 12.000s] 630 tests run: 629 passed, 1 failed", None),
            ("test access::acc_001 ... FAILED", None),
        ] {
            assert_eq!(failed_in_nextest(line).as_deref(), name, "{line}");
        }
    }

    #[test]
    fn failed_tests_of_cargo_are_parsed() {
        let mut binary = String::new();
        let mut name = |line| failed_in_cargo(line, &mut binary);
        assert_eq!(name("Running tests/it/main.rs (target/debug/deps/it-01)"), None);
        assert_eq!(name("test a::b ... ok"), None);
        assert_eq!(
            name("test a::b ... FAILED").as_deref(),
            Some("a::b in tests/it/main.rs (target/debug/deps/it-01)")
        );
        assert_eq!(
            name("`-p cosell-review --test it`").as_deref(),
            Some("-p cosell-review --test it")
        );
    }
}
