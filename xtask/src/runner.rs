//! How tests are run: by nextest where it is installed, which runs tests of all crates side by side, else by cargo's
//! own runner.

use std::path::Path;
use std::process::{Command, Stdio};

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

    /// The command that runs a tier.
    pub fn command(&self, root: &Path, tier: &Tier) -> Command {
        let mut command = Command::new("cargo");
        if self.is_nextest {
            command.args(["nextest", "run"]);
            if tier.is_platform {
                command.args(["--test-threads", PLATFORMS]);
            }
        } else {
            command.args(["test", "--no-fail-fast"]);
            if tier.is_platform {
                command.env("RUST_TEST_THREADS", PLATFORMS);
            }
        }
        command.args(&tier.arguments).current_dir(root);
        command
    }

    /// The name in a line by which the runner reports that a test failed.
    pub fn failed_test(&self, line: &str) -> Option<String> {
        if self.is_nextest {
            failed_in_nextest(line)
        } else {
            failed_in_cargo(line)
        }
    }
}

fn failed_in_cargo(line: &str) -> Option<String> {
    let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
    Some(name.to_owned())
}

/// `TIMEOUT [ 600.002s] (12/630) package::binary module::test`
fn failed_in_nextest(line: &str) -> Option<String> {
    let (verdict, rest) = line.split_once(" [")?;
    let is_signal = verdict.starts_with("SIG") && verdict.chars().all(char::is_alphanumeric);
    if !is_signal && !["FAIL", "TIMEOUT", "ABORT", "LEAK-FAIL"].contains(&verdict) {
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
        assert_eq!(failed_in_cargo("test a::b ... FAILED").as_deref(), Some("a::b"));
        assert_eq!(failed_in_cargo("test a::b ... ok"), None);
    }
}
