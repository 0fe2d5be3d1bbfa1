//! Events that each consumer applies per second, when they have waited for it.

use std::time::Duration;

use cosell_tests::{Installation, report};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use tokio::time::{Instant, sleep};

use crate::{pgbench, records};

/// The consumers of the events of opportunities.
const CONSUMERS: [&str; 3] = ["review", "collaboration", "notification"];
/// Time limit for all events.
const LIMIT: Duration = Duration::from_secs(600);

/// Creates opportunities in the database while no service runs, for `time`, then starts the services. The creation of an
/// opportunity has an effect in none of the consumers but that collaboration checks its snapshots.
pub async fn run(bench: Installation, time: Duration) -> anyhow::Result<Installation> {
    records::insert(&bench, 1).await?;
    let Installation { services, servers } = bench;
    services.stop();
    pgbench::measure(&servers, "reference/create.sql", 8, 1, time).await?;
    let mut admin = PgConnection::connect(&servers.postgres.admin_url("postgres")).await?;
    let events = count(&mut admin, "opportunity.outbox_pending").await?;
    let applied = |consumer| format!("{consumer}.inbox WHERE consumer = '{consumer}-opportunity'");
    let mut before = Vec::new();
    for consumer in CONSUMERS {
        before.push(count(&mut admin, &applied(consumer)).await?);
    }
    let bench = Installation::start_on(servers, &[]).await?;
    let started = Instant::now();
    let mut ends = [None; CONSUMERS.len()];
    let mut published = None;
    while ends.contains(&None) {
        anyhow::ensure!(
            started.elapsed() < LIMIT,
            "the events were not applied within {LIMIT:?}"
        );
        if published.is_none() && count(&mut admin, "opportunity.outbox_pending").await? == 0 {
            published = Some(started.elapsed());
        }
        for (index, consumer) in CONSUMERS.into_iter().enumerate() {
            if ends[index].is_none() && count(&mut admin, &applied(consumer)).await? >= before[index] + events
            {
                ends[index] = Some(started.elapsed());
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
    let rate = |time: Option<Duration>| events as f64 / time.unwrap_or_default().as_secs_f64();
    report::print_line(&format!(
        "{events} events without effect, from the start of the services"
    ));
    report::print_rates(&[("published", rate(published))]);
    for (consumer, end) in CONSUMERS.into_iter().zip(ends) {
        report::print_rates(&[(consumer, rate(end))]);
    }
    Ok(bench)
}

async fn count(admin: &mut PgConnection, rows: &str) -> anyhow::Result<i64> {
    let row = sqlx::query(AssertSqlSafe(format!("SELECT count(*) FROM {rows}")));
    Ok(row.fetch_one(admin).await?.try_get(0)?)
}
