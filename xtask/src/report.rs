//! Runs the steps of a check, continues after failures, and reports all failures at the end. `test.rs` defines the
//! steps.

use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _, pipe, stderr};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::print_status;

/// The results of the completed steps.
#[derive(Default)]
pub struct Report {
    steps: Vec<Step>,
}

/// A completed step.
pub struct Step {
    name: &'static str,
    took: Duration,
    /// Names of failed tests, or other errors; empty if the step passed.
    failures: Vec<String>,
}

impl Report {
    /// Runs a step and stores its result.
    pub fn step(&mut self, name: &'static str, step: impl FnOnce() -> anyhow::Result<Vec<String>>) {
        self.add([run(name, step)]);
    }

    /// Adds completed steps.
    pub fn add(&mut self, steps: impl IntoIterator<Item = Step>) {
        self.steps.extend(steps);
    }

    /// Prints the result of each step and all failures, and returns the exit code.
    pub fn finish(self) -> ExitCode {
        eprintln!();
        for step in &self.steps {
            let verdict = if step.failures.is_empty() {
                "passed"
            } else {
                "FAILED"
            };
            print_status(&format!("{verdict}  {} ({} s)", step.name, step.took.as_secs()));
            for failure in &step.failures {
                print_status(&format!("        {failure}"));
            }
        }
        if self.steps.iter().all(|step| step.failures.is_empty()) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// Runs a step, for `Report::add`.
pub fn run(name: &'static str, step: impl FnOnce() -> anyhow::Result<Vec<String>>) -> Step {
    print_status(name);
    let started = Instant::now();
    let failures = step().unwrap_or_else(|error| vec![format!("{error:#}")]);
    Step {
        name,
        took: started.elapsed(),
        failures,
    }
}

/// Runs a command that passes or fails as a whole.
pub fn check(command: &mut Command) -> anyhow::Result<Vec<String>> {
    let status = command
        .status()
        .with_context(|| format!("running {}", command.get_program().display()))?;
    anyhow::ensure!(status.success(), "exited with {status}");
    Ok(Vec::new())
}

/// Runs a test runner, forwards its output, and returns the names of failed tests, which `failed_test` finds in its
/// lines.
pub fn run_tests(
    command: &mut Command,
    mut failed_test: impl FnMut(&str) -> Option<String>,
) -> anyhow::Result<Vec<String>> {
    if stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let (output, input) = pipe().context("a pipe")?;
    command
        .stdin(Stdio::null())
        .stdout(input.try_clone()?)
        .stderr(input);
    let mut runner = command.spawn().context("starting the test runner")?;
    // Closes the write ends in `command`, which would keep the pipe open after the runner has exited.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut failed = Vec::new();
    let mut line = Vec::new();
    let mut output = BufReader::new(output);
    while output.read_until(b'\n', &mut line)? > 0 {
        stderr().write_all(&line)?;
        failed.extend(failed_test(strip_colours(&String::from_utf8_lossy(&line)).trim()));
        line.clear();
    }
    let status = runner.wait()?;
    failed.sort();
    failed.dedup();
    if failed.is_empty() && !status.success() {
        failed.push(format!(
            "the runner exited with {status} and reported no failed test"
        ));
    }
    Ok(failed)
}

/// Removes escape sequences for colours from a line.
fn strip_colours(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, text)| text));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_step_does_not_stop_later_steps() {
        let mut report = Report::default();
        report.step("a failing step", || anyhow::bail!("an error"));
        report.step("a step with a failed test", || Ok(vec!["a test".to_owned()]));
        let mut has_run = false;
        report.step("a passing step", || {
            has_run = true;
            Ok(Vec::new())
        });
        assert!(has_run);
        let failures: Vec<_> = report.steps.iter().map(|step| step.failures.join(", ")).collect();
        assert_eq!(failures, ["an error", "a test", ""]);
        assert_eq!(report.finish(), ExitCode::FAILURE);
    }

    #[test]
    fn colours_are_stripped() {
        assert_eq!(
            strip_colours("\u{1b}[31;1mFAIL\u{1b}[0m [ 1s] \u{1b}[35mx"),
            "FAIL [ 1s] x"
        );
    }
}
