//! The command line.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use cosell_telemetry::TelemetryArgs;
use cosell_types::{Caller, Clock};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

use crate::demo;
use crate::directory;
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
    /// The partner directory: accounts and members.
    #[command(subcommand)]
    Directory(DirectoryCommand),
    /// Print a fresh token of a member of a development installation.
    Token {
        /// The member, such as `alder-ace-user`.
        member: String,
        /// The state folder of the installation.
        #[arg(long)]
        state: PathBuf,
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

/// Which installation, and as which service.
#[derive(clap::Args)]
struct Installation {
    /// Address for calls, such as `https://cosell.example`.
    #[arg(
        long,
        env = "COSELL_ADDRESS",
        required_unless_present = "state",
        requires = "token_file"
    )]
    address: Option<String>,
    /// File with the token of the service that this program acts as.
    #[arg(long, env = "COSELL_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// Instead of both, the state folder of a development installation.
    #[arg(long, conflicts_with_all = ["address", "token_file"])]
    state: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

impl Installation {
    /// A channel to it, and the token to call it with.
    fn open(&self) -> anyhow::Result<(Channel, String)> {
        let (address, token) = match (&self.state, &self.address, &self.token_file) {
            (Some(state), ..) => {
                let service = Caller::Service("provisioner".parse()?);
                (
                    running(state)?.address,
                    issuer(state, Clock::system())?.token(&service)?,
                )
            }
            (None, Some(address), Some(file)) => {
                let token = std::fs::read_to_string(file).context("reading the token")?;
                (address.clone(), token.trim().to_owned())
            }
            _ => anyhow::bail!("--address and --token-file, or --state"),
        };
        let mut endpoint = Endpoint::from_shared(address)?;
        if endpoint.uri().scheme_str() == Some("https") {
            endpoint = endpoint.tls_config(ClientTlsConfig::new().with_native_roots())?;
        }
        Ok((endpoint.connect_lazy(), token))
    }
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
            Command::Directory(DirectoryCommand::Apply {
                file,
                dry_run,
                output,
                installation,
            }) => apply(&file, dry_run, output, &installation).await,
            Command::Token { member, state } => print_token(&member, &state),
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

/// Fails when a record was refused, after all others were taken over.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the command's answer")]
async fn apply(
    file: &Path,
    dry_run: bool,
    output: Output,
    installation: &Installation,
) -> anyhow::Result<()> {
    let text: Box<dyn std::io::BufRead + Send> = if file == Path::new("-") {
        Box::new(std::io::BufReader::new(std::io::stdin()))
    } else {
        let file = std::fs::File::open(file).with_context(|| format!("reading {}", file.display()))?;
        Box::new(std::io::BufReader::new(file))
    };
    let (channel, token) = installation.open()?;
    let (records, unread) = directory::lines(text, dry_run)?;
    let mut tell = |line: i64, errors: &[String]| {
        eprintln!("line {line}: {}", errors.join("; "));
    };
    let mut summary = directory::apply(channel, &token, records, &mut tell).await?;
    for (line, what) in unread.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        eprintln!("line {line}: {what}");
        summary.refused += 1;
    }
    match output {
        Output::Json => println!("{}", serde_json::to_string(&summary)?),
        Output::Table => {
            let would = if dry_run { " (dry run)" } else { "" };
            println!("RESULT      RECORDS{would}");
            for (what, count) in [
                ("created", summary.created),
                ("updated", summary.updated),
                ("unchanged", summary.unchanged),
                ("refused", summary.refused),
            ] {
                println!("{what:<12}{count:>7}");
            }
        }
    }
    anyhow::ensure!(summary.refused == 0, "{} records were refused", summary.refused);
    Ok(())
}
