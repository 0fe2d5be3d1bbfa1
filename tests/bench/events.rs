//! Events that each consumer applies per second, when they have waited for it.

use std::time::Duration;

use cosell_tests::{Installation, TestServers, report};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use tokio::time::{Instant, sleep};

use crate::{pgbench, records};

/// The consumers of the events of opportunities.
const CONSUMERS: [&str; 3] = ["review", "collaboration", "notification"];
/// Time limit for all events.
const LIMIT: Duration = Duration::from_secs(600);

/// Creates opportunities in the database while no service runs, for `time`, then starts the services: first all
/// consumers read while the events are published, then each alone reads the stream again. The creation of an opportunity
/// has an effect in none of the consumers but that collaboration checks its snapshots.
pub async fn run(bench: Installation, time: Duration) -> anyhow::Result<Installation> {
    records::insert(&bench, 1).await?;
    let Installation { services, servers } = bench;
    services.stop();
    pgbench::measure(&servers, "reference/create.sql", 8, 1, time).await?;
    let mut admin = PgConnection::connect(&servers.postgres.admin_url("postgres")).await?;
    let events = count(&mut admin, OUTBOX).await?;
    let mut ends = Vec::new();
    for consumer in CONSUMERS {
        ends.push(count(&mut admin, &applied_by(consumer)).await? + events);
    }
    report::print_line(&format!(
        "{events} events without effect, from the start of the services"
    ));
    let mut bench = Installation::start_on(servers, &[]).await?;
    let started = Instant::now();
    let rate = || events as f64 / started.elapsed().as_secs_f64();
    let published = async {
        reach(&bench.servers, OUTBOX, |left| left == 0).await?;
        anyhow::Ok(rate())
    };
    let applied = CONSUMERS.into_iter().zip(&ends).map(async |(consumer, end)| {
        reach(&bench.servers, &applied_by(consumer), |applied| applied >= *end).await?;
        anyhow::Ok((format!("{consumer}, beside the others"), rate()))
    });
    let (published, applied) = tokio::try_join!(published, futures::future::try_join_all(applied))?;
    report::print_rates(&[("published", published)]);
    for (consumer, rate) in applied {
        report::print_rates(&[(&consumer, rate)]);
    }
    for (consumer, end) in CONSUMERS.into_iter().zip(ends) {
        bench.services.stop();
        forget(&bench.servers, &mut admin, consumer).await?;
        bench = Installation::start_on(bench.servers, &[]).await?;
        // The first events are those of the seeded records.
        let first = reach(&bench.servers, &applied_by(consumer), |applied| applied > 0).await?;
        let started = Instant::now();
        let last = reach(&bench.servers, &applied_by(consumer), |applied| applied >= end).await?;
        let rate = (last - first) as f64 / started.elapsed().as_secs_f64();
        report::print_rates(&[(&format!("{consumer}, alone"), rate)]);
    }
    Ok(bench)
}

const OUTBOX: &str = "opportunity.outbox_pending";

/// The rows of the events that a consumer has applied.
fn applied_by(consumer: &str) -> String {
    format!("{consumer}.inbox WHERE consumer = '{consumer}-opportunity'")
}

/// Lets a consumer begin anew: its positions in the stream and in its database.
async fn forget(servers: &TestServers, admin: &mut PgConnection, consumer: &str) -> anyhow::Result<()> {
    let name = format!("{consumer}-opportunity");
    let jetstream = async_nats::jetstream::new(async_nats::connect(servers.nats.url()).await?);
    let stream = jetstream.get_stream("COSELL_OPPORTUNITY").await?;
    stream.delete_consumer(&name).await?;
    for table in ["inbox", "aggregate_cursor"] {
        let sql = format!("DELETE FROM {consumer}.{table} WHERE consumer = '{name}'");
        admin.execute(AssertSqlSafe(sql)).await?;
    }
    Ok(())
}

/// Waits until the number of rows is as expected, and returns it.
async fn reach(servers: &TestServers, rows: &str, is_reached: impl Fn(i64) -> bool) -> anyhow::Result<i64> {
    let mut admin = PgConnection::connect(&servers.postgres.admin_url("postgres")).await?;
    let started = Instant::now();
    loop {
        let count = count(&mut admin, rows).await?;
        if is_reached(count) {
            return Ok(count);
        }
        anyhow::ensure!(started.elapsed() < LIMIT, "{rows}: {count} rows after {LIMIT:?}");
        sleep(Duration::from_millis(200)).await;
    }
}

async fn count(admin: &mut PgConnection, rows: &str) -> anyhow::Result<i64> {
    let row = sqlx::query(AssertSqlSafe(format!("SELECT count(*) FROM {rows}")));
    Ok(row.fetch_one(admin).await?.try_get(0)?)
}
