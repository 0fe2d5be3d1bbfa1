//! Benchmarks on private servers that store data durably, as in production. `cargo xtask bench` builds and runs them
//! with optimisations. Compare figures of one run only: machines and their load differ.

mod calls;
mod decision;
mod events;
mod idle;
mod import;
mod latency;
mod pgbench;
mod provisioning;
mod records;
mod targets;
mod withdrawal;

use std::time::Duration;

use clap::{Parser, ValueEnum};
use cosell_tests::Installation;

#[derive(Parser)]
#[command(about = "Benchmarks of cosell")]
struct Arguments {
    /// The benchmarks to run; all if none is given.
    #[arg(value_enum)]
    benchmarks: Vec<Benchmark>,

    /// The number of review decisions and of role withdrawals.
    #[arg(long, default_value_t = 300)]
    rounds: usize,

    /// How long each kind of call is repeated, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,

    /// The number of opportunities to read.
    #[arg(long, default_value_t = 20_000)]
    records: i64,

    /// The number of members to provision.
    #[arg(long, default_value_t = 100_000)]
    members: usize,

    /// The number of rows of the large import file.
    #[arg(long, default_value_t = 100_000)]
    rows: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Benchmark {
    /// Reads and creations of opportunities per second, beside the same transactions by pgbench.
    Calls,
    /// Durations of calls at a steady rate, and delays until their events are applied.
    Latency,
    /// Events per second that each consumer applies.
    Events,
    /// Transactions, processor time and log while nobody calls.
    Idle,
    /// Delay until an opportunity shows a review decision.
    Decision,
    /// Delay until another service refuses a withdrawn role.
    Withdrawal,
    /// Import rate of opportunities from files.
    Import,
    /// Provisioning rate of the directory, compared with COPY of the same rows.
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
    for benchmark in Benchmark::value_variants() {
        if !arguments.benchmarks.is_empty() && !arguments.benchmarks.contains(benchmark) {
            continue;
        }
        let mut bench = Installation::start(&LIMITS).await?;
        let time = Duration::from_secs(arguments.seconds);
        match benchmark {
            Benchmark::Calls => calls::run(&bench, arguments.records, time).await?,
            Benchmark::Latency => latency::run(&bench, arguments.records, time).await?,
            Benchmark::Events => bench = events::run(bench, time * 3).await?,
            Benchmark::Idle => idle::run(&bench, time * 3).await?,
            Benchmark::Decision => decision::run(&bench, arguments.rounds).await?,
            Benchmark::Withdrawal => withdrawal::run(&bench, arguments.rounds).await?,
            Benchmark::Import => import::run(&bench, arguments.rows).await?,
            Benchmark::Provisioning => provisioning::run(&bench, arguments.members).await?,
        }
        bench.services.stop();
    }
    Ok(())
}

/// Import limits for the largest file.
const LIMITS: [(&str, &str); 2] = [
    ("COSELL_IMPORT_ROWS", "10000000"),
    ("COSELL_IMPORT_BYTES", "10000000000"),
];
