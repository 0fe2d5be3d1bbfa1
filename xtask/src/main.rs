//! The project's commands. `cargo xtask help` lists them.

mod bench;
mod demo;
mod dev;
#[cfg(feature = "prepare")]
mod prepare;
mod reasons;
mod report;
mod runner;
mod stack;
mod test;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "The project's commands")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run everything on this machine: PostgreSQL, NATS, a mail server, all services. Ctrl-C ends it.
    Dev(dev::Arguments),
    /// Check and test everything: formatting, lints, interface rules, all tests.
    Test(test::Arguments),
    /// Play the journey of an opportunity and print it; starts the stack if none runs.
    Demo(demo::Arguments),
    /// Measure, on a build with optimisations: how many calls are answered in a second, how soon decisions show and
    /// withdrawn roles are refused, how fast a list is provisioned.
    Bench(bench::Arguments),
    /// Show the e-mails that the running stack has sent.
    Mail,
    /// Describe all SQL queries to the compiler again, after a change of a query or a migration.
    Sqlx,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command, &root()) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task, root: &Path) -> anyhow::Result<ExitCode> {
    match task {
        Task::Dev(arguments) => dev::run(&arguments, root)?,
        Task::Test(arguments) => return test::run(&arguments, root),
        Task::Demo(arguments) => return demo::run(&arguments, root),
        Task::Bench(arguments) => return bench::run(&arguments, root),
        Task::Mail => demo::mail()?,
        #[cfg(feature = "prepare")]
        Task::Sqlx => prepare::run(root)?,
        #[cfg(not(feature = "prepare"))]
        Task::Sqlx => {
            let mut again = Command::new("cargo");
            again.args([
                "run",
                "--quiet",
                "--package",
                "xtask",
                "--features",
                "prepare",
                "--",
                "sqlx",
            ]);
            return passed(again.current_dir(root));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder of the checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap_or_else(|_| PathBuf::from("."))
}

/// Runs a command and passes its exit code on.
fn passed(command: &mut Command) -> anyhow::Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// A Ctrl-C ends the command that runs in the foreground; this process goes on, and ends what it has started.
fn survive() -> anyhow::Result<()> {
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, std::sync::Arc::default())?;
    }
    Ok(())
}

/// Tells what is being done.
fn say(text: &str) {
    eprintln!("  {text}");
}
