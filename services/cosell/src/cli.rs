//! The command line.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::PoisonError;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use cosell_telemetry::TelemetryArgs;
use cosell_types::Clock;
use tonic::Status;

use crate::commands::{self, Output};
use crate::demo;
use crate::directory;
use crate::files::{Export, Import, Transfer};
use crate::installation::{Installation, login, path, running, token_of};
use crate::reference;
use crate::stack::{Stack, StackArgs};

/// Where `cargo xtask dev` keeps its state.
const DEV_STATE: &str = "target/dev/0/state";

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
    /// The partner directory: accounts and members.
    #[command(subcommand)]
    Directory(DirectoryCommand),
    /// Take opportunities in from a file, row by row.
    Import(Import),
    /// Give opportunities out as a file.
    Export(Export),
    /// Give opportunities to another member.
    Transfer(Transfer),
    /// The catalogues that deals name entries of: solutions of partners and products of AWS.
    #[command(subcommand)]
    Reference(ReferenceCommand),
    /// Say what a shell has to run so that further commands call as a seeded member of a development installation:
    /// `eval "$(cosell login --dev alder-ace-user)"`.
    Login {
        /// The member, such as `alder-ace-user`.
        #[arg(long)]
        dev: String,
        /// The state folder of the installation.
        #[arg(
            long = "dev-state",
            value_name = "FOLDER",
            value_parser = path(),
            env = "COSELL_STATE",
            default_value = DEV_STATE
        )]
        state: PathBuf,
        /// Only print a fresh token.
        #[arg(long)]
        token: bool,
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

#[derive(Subcommand)]
enum DirectoryCommand {
    /// Take accounts and members over from a list, one record a line in JSON: `{"account": {…}}` or `{"member": {…}}`
    /// (docs/API.md). What is new is made, what differs is changed, what is the same is left alone.
    Apply {
        /// The list; `-` for standard input.
        #[arg(short, long)]
        file: PathBuf,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
        /// How to print the outcome.
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
        #[command(flatten)]
        installation: Installation,
    },
}

#[derive(Subcommand)]
enum ReferenceCommand {
    /// Take solutions and products over from a list, one record a line in JSON: `{"accountId": "…", "solution": {…}}` or
    /// `{"product": {…}}` (docs/API.md). What is new is made, what differs is changed, what is not named stays.
    Load {
        /// The list; `-` for standard input.
        #[arg(short, long)]
        file: PathBuf,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
        /// How to print the outcome.
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
        #[command(flatten)]
        installation: Installation,
    },
}

/// Runs the command line; what goes wrong is told on standard error.
#[expect(clippy::print_stderr, reason = "the command's answer")]
pub fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let nouns = commands::nouns()?;
    let names: Vec<_> = nouns.iter().map(|noun| noun.get_name().to_owned()).collect();
    let matches = whole(nouns).get_matches();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, usize::from).max(2))
        .enable_all()
        .build()?;
    runtime.block_on(async {
        if let Some((noun, matches)) = matches.subcommand()
            && names.iter().any(|name| name == noun)
        {
            return commands::run(noun, matches).await;
        }
        match Cli::from_arg_matches(&matches)?.command {
            Command::Up { stack, telemetry } => {
                let telemetry = cosell_telemetry::init("cosell", &telemetry)?;
                let stack = Stack::prepare(&stack, Clock::system()).await?;
                let result = stack.serve(end()).await;
                telemetry.flush().await;
                result
            }
            Command::Directory(DirectoryCommand::Apply {
                file,
                dry_run,
                output,
                installation,
            }) => apply(&file, dry_run, output, &installation).await,
            Command::Import(import) => import.run().await,
            Command::Export(export) => export.run().await,
            Command::Transfer(transfer) => transfer.run().await,
            Command::Reference(ReferenceCommand::Load {
                file,
                dry_run,
                output,
                installation,
            }) => load(&file, dry_run, output, &installation).await,
            Command::Login { dev, state, token } => {
                let is_set = !state.as_os_str().is_empty();
                let state = if is_set { state } else { DEV_STATE.into() };
                print(&if token {
                    token_of(&dev, &state)?
                } else {
                    login(&dev, &state)?
                });
                Ok(())
            }
            Command::Demo { state, mail, input } => {
                let input = demo::read(&input)?;
                demo::play(&running(&state)?, &mail, &input, &mut demo::print).await
            }
        }
    })
}

/// The whole command line: what stands here, and the nouns that are made from the interface.
fn whole(nouns: Vec<clap::Command>) -> clap::Command {
    Cli::command().subcommands(nouns)
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
fn print(text: &str) {
    println!("{text}");
}

/// Fails when a record was refused, after all others were taken over.
#[expect(clippy::print_stderr, reason = "the command's answer")]
async fn apply(
    file: &Path,
    dry_run: bool,
    output: Output,
    installation: &Installation,
) -> anyhow::Result<()> {
    let text = open(file)?;
    let (channel, token) = installation.as_service("provisioner")?;
    let (records, unread) = directory::lines(text, dry_run)?;
    let mut tell = |line: i64, refusal: Status| {
        eprintln!("line {line}: {}", commands::explained(&refusal));
    };
    let mut summary = directory::apply(channel, &token, records, &mut tell)
        .await
        .map_err(|error| {
            let refused = error.downcast_ref().map(commands::explained);
            refused.unwrap_or(error)
        })?;
    for (line, what) in unread.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        eprintln!("line {line}: {what}");
        summary.refused += 1;
    }
    match output {
        Output::Json => print(&serde_json::to_string(&summary)?),
        Output::Table => print_counts(
            dry_run,
            &[
                ("created", summary.created),
                ("updated", summary.updated),
                ("unchanged", summary.unchanged),
                ("refused", summary.refused),
            ],
        ),
    }
    anyhow::ensure!(summary.refused == 0, "{} records were refused", summary.refused);
    Ok(())
}

/// All batches of a list are taken over, up to the first that is refused.
async fn load(file: &Path, dry_run: bool, output: Output, installation: &Installation) -> anyhow::Result<()> {
    let batches = reference::batches(open(file)?)?;
    let (channel, token) = installation.as_service("provisioner")?;
    let summary = reference::load(channel, &token, batches, dry_run)
        .await
        .map_err(|error| {
            let refused = error.downcast_ref().map(commands::explained);
            refused.unwrap_or(error)
        })?;
    match output {
        Output::Json => print(&serde_json::to_string(&summary)?),
        Output::Table => print_counts(
            dry_run,
            &[
                ("created", summary.created),
                ("updated", summary.updated),
                ("unchanged", summary.unchanged),
            ],
        ),
    }
    Ok(())
}

/// A file, or standard input.
fn open(file: &Path) -> anyhow::Result<Box<dyn std::io::BufRead + Send>> {
    if file == Path::new("-") {
        return Ok(Box::new(std::io::BufReader::new(std::io::stdin())));
    }
    let opened = std::fs::File::open(file).with_context(|| format!("reading {}", file.display()))?;
    Ok(Box::new(std::io::BufReader::new(opened)))
}

fn print_counts(dry_run: bool, counts: &[(&str, impl std::fmt::Display)]) {
    let would = if dry_run { " (dry run)" } else { "" };
    print(&format!("RESULT      RECORDS{would}"));
    for (what, count) in counts {
        print(&format!("{what:<12}{count:>7}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Options are made from fields of requests, so a field can take the name of an option that is there already, and
    /// only the library that reads the command line knows all of them.
    #[test]
    fn no_two_options_of_a_command_have_the_same_name() {
        whole(commands::nouns().expect("nouns")).debug_assert();
    }
}
