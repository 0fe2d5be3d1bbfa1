//! What all services and their database cost while nobody calls.

use std::time::Duration;

use cosell_tests::{Installation, report};
use sqlx::{Connection as _, PgConnection};
use tokio::time::sleep;

/// Time for the services to come to rest.
const REST: Duration = Duration::from_secs(15);

/// Measures for `time`.
pub async fn run(bench: &Installation, time: Duration) -> anyhow::Result<()> {
    sleep(REST).await;
    let seconds = time.as_secs_f64();
    let before = Usage::read(bench).await?;
    sleep(time).await;
    let after = Usage::read(bench).await?;
    let per_second = |figure: fn(&Usage) -> f64| (figure(&after) - figure(&before)) / seconds;
    report::print_line(&format!("idle, all services in one process, over {seconds:.0} s"));
    for (name, figure, unit) in [
        ("transactions", per_second(|usage| usage.transactions), "a second"),
        (
            "processor of the services",
            per_second(|usage| usage.processor) * 100.0,
            "% of a core",
        ),
        (
            "log of the services",
            per_second(|usage| usage.log),
            "bytes a second",
        ),
        (
            "log of PostgreSQL",
            per_second(|usage| usage.database_log),
            "bytes a second",
        ),
        (
            "memory of the services",
            report::resident_memory(bench.services.id())? as f64,
            "MiB",
        ),
    ] {
        report::print_line(&format!("{name:<52}{figure:>10.1}  {unit}"));
    }
    Ok(())
}

struct Usage {
    transactions: f64,
    /// Seconds.
    processor: f64,
    log: f64,
    database_log: f64,
}

impl Usage {
    async fn read(bench: &Installation) -> anyhow::Result<Self> {
        let mut admin = PgConnection::connect(&bench.servers.postgres.admin_url("postgres")).await?;
        let transactions: i64 = sqlx::query_scalar(
            "SELECT (sum(xact_commit) + sum(xact_rollback))::bigint FROM pg_stat_database WHERE datname = 'postgres'",
        )
        .fetch_one(&mut admin)
        .await?;
        Ok(Self {
            transactions: transactions as f64,
            processor: report::processor_time(bench.services.id())?.as_secs_f64(),
            log: bench.services.log_size()? as f64,
            database_log: bench.servers.postgres.log_size()? as f64,
        })
    }
}
