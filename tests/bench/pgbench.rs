//! Runs pgbench, which comes with PostgreSQL, with the role of a service: the limit that a call cannot exceed.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use cosell_testkit::postgres::Programs;
use cosell_tests::TestServers;

/// The transactions per second of a script with this many clients.
pub async fn measure(
    servers: &TestServers,
    script: &str,
    clients: usize,
    records: i64,
    time: Duration,
) -> anyhow::Result<f64> {
    let program = Programs::find(&|_| {})?.path("pgbench");
    let password = std::fs::read_to_string(servers.state().join("secrets/opportunity_app"))?;
    let mut command = Command::new(program);
    command
        .args(["--no-vacuum", "--protocol=prepared", "--username=opportunity_app"])
        .args(["--client", &clients.to_string()])
        .args(["--time", &time.as_secs().max(1).to_string()])
        .args(["--define", &format!("records={records}")])
        .arg("--file")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("bench").join(script))
        .arg(servers.postgres.url("postgres"))
        .env("PGPASSWORD", password.trim());
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "{script}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = rate.and_then(|rate| rate.split(' ').next()).context("no rate")?;
    Ok(rate.parse()?)
}
