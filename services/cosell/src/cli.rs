//! The subcommands of `cosell`, and their dispatch.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::PoisonError;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use cosell_telemetry::TelemetryArgs;
use cosell_types::Clock;
use cosell_types::text_file::read_encoding;
use tonic::Status;

use crate::bulk_commands::{Export, Import, Transfer};
use crate::commands::{self, Output};
use crate::demo;
use crate::directory;
use crate::installation::{Installation, login_script, path_parser, read_stack_info, seed_token};
use crate::reference;
use crate::stack::{Stack, StackArgs};
use crate::terminal::{print, print_message};

/// The state folder of `cargo xtask dev`.
const DEV_STATE: &str = "target/dev/0/state";

#[derive(Parser)]
#[command(
    name = "cosell",
    version,
    about = "Open, self-hosted co-sell platform",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run all services in one process, for development, until a signal or the end of standard input.
    Up {
        #[command(flatten)]
        stack: StackArgs,
        #[command(flatten)]
        telemetry: TelemetryArgs,
    },
    /// Provision accounts and members in the partner directory.
    #[command(subcommand)]
    Directory(DirectoryCommand),
    /// Import opportunities from a file.
    Import(Import),
    /// Export opportunities to a file.
    Export(Export),
    /// Transfer opportunities to another member.
    Transfer(Transfer),
    /// Load the catalogs that opportunities refer to: solutions of partners and products of AWS.
    #[command(subcommand)]
    Reference(ReferenceCommand),
    /// Print shell commands that make later commands call as a seeded member of a development installation:
    /// `eval "$(cosell login --dev alder-ace-user)"`.
    Login {
        /// The id of the seeded member, such as `alder-ace-user`.
        #[arg(long)]
        dev: String,
        /// State folder of the development installation.
        #[arg(
            long = "dev-state",
            value_name = "FOLDER",
            value_parser = path_parser(),
            env = "COSELL_STATE",
            default_value = DEV_STATE
        )]
        state: PathBuf,
        /// Print a new token only.
        #[arg(long)]
        token: bool,
    },
    /// Run the demo scenario against a development installation and print a timeline.
    Demo {
        /// State folder of the development installation.
        #[arg(long)]
        state: PathBuf,
        /// Folder of the e-mails that the installation has sent.
        #[arg(long)]
        mail: PathBuf,
        /// Input file with the opportunities of the scenario.
        #[arg(long)]
        input: PathBuf,
    },
}

#[derive(Subcommand)]
enum DirectoryCommand {
    /// Apply accounts and members from a list with one JSON record a line: `{"account": {…}}` or `{"member": {…}}`
    /// (docs/API.md). Creates new records, updates differing ones, and leaves equal ones unchanged.
    Apply {
        /// File with the list; `-` for standard input.
        #[arg(short, long)]
        file: PathBuf,
        /// Validate only; change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Output format.
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
        #[command(flatten)]
        installation: Installation,
    },
}

#[derive(Subcommand)]
enum ReferenceCommand {
    /// Apply solutions and products from a list with one JSON record a line: `{"accountId": "…", "solution": {…}}` or
    /// `{"product": {…}}` (docs/API.md). Creates new records, updates differing ones, and keeps records that are not
    /// listed.
    Load {
        /// File with the list; `-` for standard input.
        #[arg(short, long)]
        file: PathBuf,
        /// Validate only; change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Output format.
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
        #[command(flatten)]
        installation: Installation,
    },
}

/// Runs the command line and prints errors on standard error.
pub fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_message(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let nouns = commands::noun_commands()?;
    let names: Vec<_> = nouns.iter().map(|noun| noun.get_name().to_owned()).collect();
    let matches = full_command(nouns).get_matches();
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
                let result = stack.serve(wait_for_shutdown()).await;
                telemetry.flush().await;
                result
            }
            Command::Directory(DirectoryCommand::Apply {
                file,
                dry_run,
                output,
                installation,
            }) => apply_directory(&file, dry_run, output, &installation).await,
            Command::Import(import) => import.run().await,
            Command::Export(export) => export.run().await,
            Command::Transfer(transfer) => transfer.run().await,
            Command::Reference(ReferenceCommand::Load {
                file,
                dry_run,
                output,
                installation,
            }) => load_reference(&file, dry_run, output, &installation).await,
            Command::Login { dev, state, token } => {
                let is_set = !state.as_os_str().is_empty();
                let state = if is_set { state } else { DEV_STATE.into() };
                print(&if token {
                    seed_token(&dev, &state)?
                } else {
                    login_script(&dev, &state)?
                })
            }
            Command::Demo { state, mail, input } => {
                let input = demo::read_input(&input)?;
                let mut printed = Ok(());
                let mut report = |entry: &demo::TimelineEntry| {
                    if printed.is_ok() {
                        printed = print(&entry.to_string());
                    }
                };
                demo::run(&read_stack_info(&state)?, &mail, &input, &mut report).await?;
                printed
            }
        }
    })
}

/// The complete command line: the subcommands of this file, and the nouns that are derived from the API.
fn full_command(nouns: Vec<clap::Command>) -> clap::Command {
    Cli::command().subcommands(nouns)
}

/// Waits for a signal or for the end of standard input, which means that the parent process has exited.
async fn wait_for_shutdown() {
    let (closed, stdin_closed) = tokio::sync::oneshot::channel();
    // A thread, not a task: a read of standard input cannot be cancelled and must not keep the runtime alive.
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = closed.send(());
    });
    tokio::select! {
        () = cosell_service::stop_signal() => {}
        _ = stdin_closed => tracing::info!("standard input closed"),
    }
}

/// Applies all valid records, then fails if one was refused.
async fn apply_directory(
    file: &Path,
    dry_run: bool,
    output: Output,
    installation: &Installation,
) -> anyhow::Result<()> {
    let text = open_input(file)?;
    let (channel, token) = installation.as_service("provisioner")?;
    let (records, invalid_lines) = directory::read_lines(text, dry_run)?;
    let mut print_refusal = |line: i64, refusal: Status| {
        print_message(&format!("line {line}: {}", commands::explain_status(&refusal)));
    };
    let mut summary = directory::apply(channel, &token, records, &mut print_refusal)
        .await
        .map_err(|error| {
            let explained = error.downcast_ref().map(commands::explain_status);
            explained.unwrap_or(error)
        })?;
    for (line, error) in invalid_lines
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
    {
        print_message(&format!("line {line}: {error}"));
        summary.refused += 1;
    }
    match output {
        Output::Json => print(&serde_json::to_string(&summary)?)?,
        Output::Table => print_counts(
            dry_run,
            &[
                ("created", summary.created),
                ("updated", summary.updated),
                ("unchanged", summary.unchanged),
                ("refused", summary.refused),
            ],
        )?,
    }
    anyhow::ensure!(summary.refused == 0, "{} records were refused", summary.refused);
    Ok(())
}

/// Applies the batches of a list up to the first refused one.
async fn load_reference(
    file: &Path,
    dry_run: bool,
    output: Output,
    installation: &Installation,
) -> anyhow::Result<()> {
    let batches = reference::read_batches(open_input(file)?)?;
    let (channel, token) = installation.as_service("provisioner")?;
    let summary = reference::load(channel, &token, batches, dry_run).await?;
    match output {
        Output::Json => print(&serde_json::to_string(&summary)?)?,
        Output::Table => print_counts(
            dry_run,
            &[
                ("created", summary.created),
                ("updated", summary.updated),
                ("unchanged", summary.unchanged),
            ],
        )?,
    }
    Ok(())
}

/// Bytes from which the encoding of a file is recognized.
const START: usize = 4;

/// Opens a text file, or standard input for `-`, after its byte order mark if it has one.
fn open_input(file: &Path) -> anyhow::Result<Box<dyn std::io::BufRead + Send>> {
    let reading = || format!("reading {}", file.display());
    let mut input: Box<dyn std::io::BufRead + Send> = if file == Path::new("-") {
        Box::new(std::io::BufReader::new(std::io::stdin()))
    } else {
        let opened = std::fs::File::open(file).with_context(reading)?;
        Box::new(std::io::BufReader::new(opened))
    };
    // A pipe may return fewer bytes at a time than are needed to recognize what it is.
    let mut start = Vec::new();
    input
        .by_ref()
        .take(START as u64)
        .read_to_end(&mut start)
        .with_context(reading)?;
    let skipped = read_encoding(&start)
        .map_err(|other| anyhow::anyhow!("{} {other}; save it as UTF-8", file.display()))?;
    Ok(Box::new(
        std::io::Cursor::new(start.split_off(skipped)).chain(input),
    ))
}

fn print_counts(dry_run: bool, counts: &[(&str, impl std::fmt::Display)]) -> anyhow::Result<()> {
    let suffix = if dry_run { " (dry run)" } else { "" };
    print(&format!("RESULT      RECORDS{suffix}"))?;
    for (outcome, count) in counts {
        print(&format!("{outcome:<12}{count:>7}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn input_is_read_after_its_byte_order_mark() {
        let folder = tempfile::tempdir().expect("a folder");
        for (content, text) in [
            ("\u{feff}{}\n", "{}\n"),
            ("{}\n", "{}\n"),
            ("\u{feff}", ""),
            ("", ""),
        ] {
            let file = folder.path().join("records.jsonl");
            std::fs::write(&file, content).expect("a file");
            let mut read = String::new();
            let mut input = open_input(&file).expect("an input");
            input.read_to_string(&mut read).expect("text");
            assert_eq!(read, text);
        }
    }

    /// Options are derived from request fields, so a new field could have the name of an existing option. clap checks
    /// this.
    #[test]
    fn option_names_of_a_command_are_unique() {
        full_command(commands::noun_commands().expect("nouns")).debug_assert();
    }
}
