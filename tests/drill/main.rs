//! Drills: attacks and overload on private servers, with a bar for each figure. `cargo xtask drill` builds and runs them
//! with optimisations. Every load is bounded, and goes only to this machine. A drill fails below its bar.

mod attacks;
mod frames;
mod hostile_connections;
mod lists;
mod noisy_neighbour;
mod overload;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use cosell_tests::report;

#[derive(Parser)]
#[command(about = "Drills of cosell")]
struct Arguments {
    /// The drills to run; all if none is given.
    #[arg(value_enum)]
    drills: Vec<Drill>,

    /// Seconds of each phase.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Drill {
    /// G5: four times the calls that the services can answer.
    Overload,
    /// G6: an account that calls at twenty times its quota, beside another one.
    NoisyNeighbour,
    /// G7: clients that send or read slowly, nothing, or too much.
    HostileConnections,
}

/// The bars that a drill has missed.
#[derive(Default)]
struct Bars(Vec<String>);

impl Bars {
    /// Prints a figure with its bar, and remembers whether it is missed.
    fn check(&mut self, name: &str, figure: f64, bar: &str, is_met: bool) {
        let verdict = if is_met { "ok" } else { "MISSED" };
        report::print_line(&format!("{name:<58}{figure:>9.2}  {bar:<9}{verdict}"));
        if !is_met {
            self.0.push(name.to_owned());
        }
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(run(&Arguments::parse()))
}

async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut missed = Bars::default();
    let phase = std::time::Duration::from_secs(arguments.seconds);
    for drill in Drill::value_variants() {
        if !arguments.drills.is_empty() && !arguments.drills.contains(drill) {
            continue;
        }
        let name = drill.to_possible_value().map(|value| value.get_name().to_owned());
        report::print_line(&format!("\n{}", name.unwrap_or_default()));
        match drill {
            Drill::Overload => overload::run(&mut missed, phase).await?,
            Drill::NoisyNeighbour => noisy_neighbour::run(&mut missed, phase).await?,
            Drill::HostileConnections => hostile_connections::run(&mut missed, phase).await?,
        }
    }
    if missed.0.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    report::print_line(&format!("\nmissed: {}", missed.0.join("; ")));
    Ok(ExitCode::FAILURE)
}
