//! Development commands of the repository. `cargo xtask help` lists them.

mod bench;
mod clients;
mod demo;
mod dev;
mod fuzz;
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
#[command(about = "Development commands of cosell")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run PostgreSQL, NATS, a mail server and all services on this machine until Ctrl-C.
    Dev(dev::Arguments),
    /// Run all checks and tests: formatting, lints, API rules, all tests.
    Test(test::Arguments),
    /// Run the demo scenario and print a timeline; starts a dev environment if none is running.
    Demo(demo::Arguments),
    /// Run benchmarks on an optimised build: calls per second, delay of review decisions and role withdrawals, and
    /// rates of import and provisioning.
    Bench(bench::Arguments),
    /// Run drills on an optimised build: overload, an account far over its quota, and hostile connections. Exits with 1
    /// if a figure is worse than its bar.
    Drill(bench::Arguments),
    /// Run the fuzz targets of the decoders, ten minutes each. Needs a nightly compiler and cargo-fuzz. Exits with 1 if an
    /// input violates a property.
    Fuzz(fuzz::Arguments),
    /// Build the client packages into `target/clients`: descriptor sets and the Python wheel.
    Clients(clients::Arguments),
    /// Print the e-mails that the running dev environment has sent.
    Mail,
    /// Regenerate the metadata of all SQL queries (`.sqlx/`) after a change of a query or migration.
    Sqlx {
        /// The crates whose queries changed, such as `cosell-review`. All crates if none is given.
        crates: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command, &root()) {
        Ok(code) => code,
        Err(error) => {
            print_status(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task, root: &Path) -> anyhow::Result<ExitCode> {
    match task {
        Task::Dev(arguments) => dev::run(&arguments, root)?,
        Task::Test(arguments) => return test::run(&arguments, root),
        Task::Demo(arguments) => return demo::run(&arguments, root),
        Task::Bench(arguments) => return bench::run("cosell-bench", &arguments, root),
        Task::Drill(arguments) => return bench::run("cosell-drill", &arguments, root),
        Task::Fuzz(arguments) => return fuzz::run(&arguments, root),
        Task::Clients(arguments) => clients::run(&arguments, root)?,
        Task::Mail => demo::print_mails()?,
        #[cfg(feature = "prepare")]
        Task::Sqlx { crates } => prepare::run(root, &crates)?,
        #[cfg(not(feature = "prepare"))]
        Task::Sqlx { crates } => {
            let mut command = Command::new("cargo");
            command.args([
                "run",
                "--quiet",
                "--package",
                "xtask",
                "--features",
                "prepare",
                "--",
                "sqlx",
            ]);
            command.args(crates);
            return run_with_exit_code(command.current_dir(root));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The root folder of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap_or_else(|_| PathBuf::from("."))
}

/// Runs a command and returns its exit code.
fn run_with_exit_code(command: &mut Command) -> anyhow::Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Ignores Ctrl-C and SIGTERM in this process, so that it can stop its servers after the foreground command has exited.
fn ignore_signals() -> anyhow::Result<()> {
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, std::sync::Arc::default())?;
    }
    Ok(())
}

/// Prints a progress message on standard error.
fn print_status(text: &str) {
    eprintln!("  {text}");
}
