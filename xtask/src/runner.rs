//! How tests are run: by nextest where it is installed, which runs tests of all crates side by side, else by cargo's own
//! runner. Decides which tests run together, how many at a time, and which lines of a report name a failure; what becomes
//! of the failures is in `report.rs`.

use std::num::NonZero;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// How many whole platforms run at a time, as in .config/nextest.toml. Their tests wait more than they compute, so
/// this does not depend on the number of processors.
const PLATFORMS: &str = "4";

/// Tests that run together.
pub struct Tier {
    /// What they are, for people.
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
    /// nextest where it is installed, else cargo's.
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

    /// All tests, or those that the arguments select.
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
        let faults = [
            "--package",
            "cosell-tests",
            "--features",
            "sabotage",
            "--test",
            "sabotage",
        ];
        let with_faults = tier("tests of the build with faults built in", &faults, true);
        if self.is_nextest {
            return vec![with_faults, tier("tests", &["--workspace"], false)];
        }
        vec![
            with_faults,
            tier("tests", &["--workspace", "--exclude", "cosell-tests"], false),
            tier("tests over all services", &["--package", "cosell-tests"], true),
        ]
    }

    /// Whether this line of the runner's report says that everything is built.
    pub fn is_built(&self, line: &str) -> bool {
        line.starts_with(if self.is_nextest { "Starting " } else { "Running " })
    }

    /// The command that runs a tier.
    pub fn command(&self, root: &Path, tier: &Tier) -> Command {
        let mut command = Command::new("cargo");
        if self.is_nextest {
            command.args(["nextest", "run"]);
            if tier.is_platform {
                command.args(["--test-threads", PLATFORMS]);
            } else if !tier.is_selected {
                command.args(["--test-threads", &threads().to_string()]);
            }
        } else {
            command.args(["test", "--no-fail-fast"]);
            // Selected tests may be such.
            if tier.is_platform || tier.is_selected {
                command.env("RUST_TEST_THREADS", PLATFORMS);
            }
        }
        command.args(&tier.arguments).current_dir(root);
        command
    }

    /// Finds the names of failed tests in the lines of the runner's report, one after the other.
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

/// Builds tests of later tiers while those of the first one run, which have the processors first. Without
/// `cosell-tests`: the program under test is one file, and has faults built in as long as the first tier runs.
pub fn build_ahead(root: &Path) -> Command {
    let mut command = Command::new("nice");
    command
        .args(["-n", "10", "cargo", "test", "--no-run", "--quiet"])
        .args(["--workspace", "--exclude", "cosell-tests"])
        .current_dir(root);
    command
}

/// Twice as many tests as there are processors: much of their time they wait for a server or a clock.
fn threads() -> usize {
    2 * thread::available_parallelism().map_or(1, NonZero::get)
}

/// `Running tests/it/main.rs (target/debug/deps/it-0123456789abcdef)` says whose tests follow. A binary that ends without
/// naming a test is in the list at the end, as `` `-p package --test it` ``.
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
    fn failed_tests_of_nextest_are_named() {
        for (line, name) in [
            (
                "FAIL [   0.005s] ( 3/630) cosell-tests::e2e matrix::acc_001",
                Some("cosell-tests::e2e matrix::acc_001"),
            ),
            (
                "TIMEOUT [ 600.002s] cosell-tests::e2e journey",
                Some("cosell-tests::e2e journey"),
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
            ("SLOW [> 60.000s] cosell-tests::e2e journey", None),
            ("PASS [   0.005s] cosell-tests::e2e journey", None),
            ("Summary [ 12.000s] 630 tests run: 629 passed, 1 failed", None),
            ("test matrix::acc_001 ... FAILED", None),
        ] {
            assert_eq!(failed_in_nextest(line).as_deref(), name, "{line}");
        }
    }

    #[test]
    fn failed_tests_of_cargo_are_named() {
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
