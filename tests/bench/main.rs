//! What is measured, on servers of its own that keep everything on disk, as in production. `cargo xtask bench` builds it
//! with optimisations and runs it. Figures of one run are to be compared with each other: machines differ, and are busy.

mod calls;
mod decision;
mod import;
mod provisioning;
mod report;
mod withdrawal;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use cosell_testkit::postgres::Durability;
use cosell_tests::{Child, World};

#[derive(Parser)]
#[command(about = "Measures cosell")]
struct Arguments {
    /// What to measure; without any, everything.
    #[arg(value_enum)]
    what: Vec<What>,

    /// How many decisions and how many withdrawals.
    #[arg(long, default_value_t = 300)]
    rounds: usize,

    /// For how long each kind of call is made.
    #[arg(long, default_value_t = 10)]
    seconds: u64,

    /// How many members are provisioned.
    #[arg(long, default_value_t = 100_000)]
    members: usize,

    /// How many rows the large file of opportunities has.
    #[arg(long, default_value_t = 100_000)]
    rows: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// How many reads and creations of opportunities are answered in a second.
    Calls,
    /// How soon an opportunity shows what review decided.
    Decision,
    /// How soon a role that was withdrawn is refused by another service.
    Withdrawal,
    /// How fast files of opportunities are taken in.
    Import,
    /// How fast a list is taken over into the directory, beside COPY of the same rows.
    Provisioning,
}

fn main() -> anyhow::Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(run(Arguments::parse()))
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    for what in What::value_variants() {
        if !arguments.what.is_empty() && !arguments.what.contains(what) {
            continue;
        }
        let bench = Bench::start().await?;
        match what {
            What::Calls => calls::run(&bench, Duration::from_secs(arguments.seconds)).await?,
            What::Decision => decision::run(&bench, arguments.rounds).await?,
            What::Withdrawal => withdrawal::run(&bench, arguments.rounds).await?,
            What::Import => import::run(&bench, arguments.rows).await?,
            What::Provisioning => provisioning::run(&bench, arguments.members).await?,
        }
        bench.services.stop();
    }
    Ok(())
}

/// As much as the largest file needs.
const LIMITS: [(&str, &str); 2] = [
    ("COSELL_IMPORT_ROWS", "10000000"),
    ("COSELL_IMPORT_BYTES", "10000000000"),
];

/// The services in a process of their own, and the servers that they need.
struct Bench {
    services: Child,
    world: World,
}

impl Bench {
    async fn start() -> anyhow::Result<Self> {
        let world = World::start_with(Durability::Full);
        let services = Child::start(&program()?.to_string_lossy(), &world, Child::address(), &LIMITS).await;
        Ok(Self { services, world })
    }
}

/// The services, built beside this program.
fn program() -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("cosell-under-test"))
}
