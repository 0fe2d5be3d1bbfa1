//! Runs every step of a check, also after a failure, and names every failure at the end. What the steps are is in
//! `test.rs`.

use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _, pipe, stderr};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::say;

/// What the steps so far have come to.
#[derive(Default)]
pub struct Report {
    steps: Vec<Step>,
}

/// A step that has run.
pub struct Step {
    name: &'static str,
    took: Duration,
    /// Tests that failed, or what else did; empty when the step passed.
    failures: Vec<String>,
}

impl Report {
    /// Runs a step. Its error is kept for the end.
    pub fn step(&mut self, name: &'static str, step: impl FnOnce() -> anyhow::Result<Vec<String>>) {
        self.add([run(name, step)]);
    }

    /// Adds steps that have run.
    pub fn add(&mut self, steps: impl IntoIterator<Item = Step>) {
        self.steps.extend(steps);
    }

    /// Prints what passed and each failure, and returns the exit code for all.
    pub fn finish(self) -> ExitCode {
        eprintln!();
        for step in &self.steps {
            let verdict = if step.failures.is_empty() {
                "passed"
            } else {
                "FAILED"
            };
            say(&format!("{verdict}  {} ({} s)", step.name, step.took.as_secs()));
            for failure in &step.failures {
                say(&format!("        {failure}"));
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
    say(name);
    let begun = Instant::now();
    let failures = step().unwrap_or_else(|error| vec![format!("{error:#}")]);
    Step {
        name,
        took: begun.elapsed(),
        failures,
    }
}

/// Runs a command that passes or fails as a whole.
pub fn check(command: &mut Command) -> anyhow::Result<Vec<String>> {
    let status = command
        .status()
        .with_context(|| format!("running {}", command.get_program().display()))?;
    anyhow::ensure!(status.success(), "ended with {status}");
    Ok(Vec::new())
}

/// Runs a test runner, passes on what it prints, and returns the names of the tests that failed, as `failed_test` finds
/// them in its lines.
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
    // What is left in the command would keep the pipe open after the runner has ended.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut failed = Vec::new();
    let mut line = Vec::new();
    let mut output = BufReader::new(output);
    while output.read_until(b'\n', &mut line)? > 0 {
        stderr().write_all(&line)?;
        failed.extend(failed_test(
            without_colours(&String::from_utf8_lossy(&line)).trim(),
        ));
        line.clear();
    }
    let status = runner.wait()?;
    failed.sort();
    failed.dedup();
    if failed.is_empty() && !status.success() {
        failed.push(format!("the runner ended with {status}, with no test named"));
    }
    Ok(failed)
}

/// A line without the escape sequences for colours.
fn without_colours(line: &str) -> String {
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
    fn failed_step_keeps_no_other_from_running() {
        let mut report = Report::default();
        report.step("one that fails", || anyhow::bail!("on purpose"));
        report.step("one with a failed test", || Ok(vec!["a test".to_owned()]));
        let mut has_run = false;
        report.step("one that passes", || {
            has_run = true;
            Ok(Vec::new())
        });
        assert!(has_run);
        let failures: Vec<_> = report.steps.iter().map(|step| step.failures.join(", ")).collect();
        assert_eq!(failures, ["on purpose", "a test", ""]);
        assert_eq!(report.finish(), ExitCode::FAILURE);
    }

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(
            without_colours("\u{1b}[31;1mFAIL\u{1b}[0m [ 1s] \u{1b}[35mx"),
            "FAIL [ 1s] x"
        );
    }
}
