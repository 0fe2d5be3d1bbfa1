//! The command line.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use cosell_telemetry::TelemetryArgs;
use cosell_types::Clock;

use crate::demo;
use crate::seed::members;
use crate::stack::{Stack, StackArgs, StackInfo, issuer};

#[derive(Parser)]
#[command(
    name = "cosell",
    version,
    about = "Open, self-hosted co-selling",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run all services in one process, for development. Ends with a signal, or when its standard input ends.
    Up {
        #[command(flatten)]
        stack: StackArgs,
        #[command(flatten)]
        telemetry: TelemetryArgs,
    },
    /// Print a fresh token of a member of a development installation.
    Token {
        /// The member, such as `alder-ace-user`.
        member: String,
        /// The state folder of the installation.
        #[arg(long)]
        state: PathBuf,
    },
    /// Measure how soon decisions show against a development installation.
    Bench {
        /// The state folder of the installation.
        #[arg(long)]
        state: PathBuf,
        /// The opportunities to measure with.
        #[arg(long)]
        input: PathBuf,
        /// How many decisions.
        #[arg(long, default_value_t = 300)]
        rounds: usize,
    },
    /// Play the journey of an opportunity against a development installation and print what happens.
    Demo {
        /// The state folder of the installation.
        #[arg(long)]
        state: PathBuf,
        /// Folder with the e-mails that the installation sent.
        #[arg(long)]
        mail: PathBuf,
        /// The opportunities to play it with.
        #[arg(long)]
        input: PathBuf,
    },
}

/// Runs the command line.
pub fn main() -> anyhow::Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, usize::from).max(2))
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match Cli::parse().command {
            Command::Up { stack, telemetry } => {
                let telemetry = cosell_telemetry::init("cosell", &telemetry)?;
                let stack = Stack::prepare(&stack, Clock::system()).await?;
                let result = stack.serve(end()).await;
                telemetry.flush().await;
                result
            }
            Command::Token { member, state } => print_token(&member, &state),
            Command::Bench { state, input, rounds } => {
                let measured = demo::measure(&running(&state)?, &demo::read(&input)?, rounds).await?;
                measured.print();
                measured.keeps_the_bar()
            }
            Command::Demo { state, mail, input } => {
                let input = demo::read(&input)?;
                demo::play(&running(&state)?, &mail, &input, &mut demo::print).await
            }
        }
    })
}

/// What runs with a state folder.
fn running(state: &Path) -> anyhow::Result<StackInfo> {
    let text = std::fs::read_to_string(state.join("stack.json")).context("no stack runs there")?;
    Ok(serde_json::from_str(&text)?)
}

/// A signal, or the end of standard input: whoever started this process is gone, however it ended.
async fn end() {
    let (gone, parent) = tokio::sync::oneshot::channel();
    // A thread, not a task: a read of standard input cannot be cancelled and must not keep the runtime alive.
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = gone.send(());
    });
    tokio::select! {
        () = cosell_service::stop_signal() => {}
        _ = parent => tracing::info!("standard input has ended"),
    }
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn print_token(id: &str, state: &Path) -> anyhow::Result<()> {
    let member = members().into_iter().find(|member| member.id() == id);
    let member = member.with_context(|| format!("{id} is none of the seeded members"))?;
    anyhow::ensure!(
        state.join("issuer.key").exists(),
        "{} is no state folder",
        state.display()
    );
    println!("{}", issuer(state, Clock::system())?.token(&member.caller()?)?);
    Ok(())
}
