//! Durations of calls at a steady rate, and how soon after a change each consumer has applied its event.

use std::time::Duration;

use cosell::demo::calls::create_opportunity;
use cosell_tests::load::{Target, call_at_rate};
use cosell_tests::{Installation, report, valid_opportunity};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::{Instant, sleep};

use crate::records::OWNER;
use crate::{records, targets};

/// The consumers of the events of opportunities.
const CONSUMERS: [&str; 3] = ["review", "collaboration", "notification"];
/// How many records are changed in turn.
const CHANGED: usize = 200;
/// Time limit for the events after the last call.
const LIMIT: Duration = Duration::from_secs(60);

/// Measures each kind of call for `time`, each at its rate. The rates do not depend on the answers.
pub async fn run(bench: &Installation, records: i64, time: Duration) -> anyhow::Result<()> {
    records::insert(bench, records).await?;
    let services = &bench.services;
    let client = services.member(OWNER);
    let mut ids = Vec::new();
    for _ in 0..CHANGED {
        let created = create_opportunity(&client, valid_opportunity()).await?;
        ids.push(created.opportunity_id);
    }
    report::print_line(&format!(
        "{:<12}{:>10}{:>10}{:>10}  (ms)",
        "", "a second", "p50", "p99"
    ));
    for (name, per_second, target) in [
        ("get", 500.0, targets::get(services, records)?),
        ("list", 100.0, targets::list(services)?),
        ("create", 50.0, targets::create(services)?),
        ("update", 200.0, targets::update(services, ids)?),
    ] {
        measure(name, per_second, &target, time).await?;
    }
    print_delays(bench).await
}

async fn measure(name: &str, per_second: f64, target: &Target, time: Duration) -> anyhow::Result<()> {
    let callers = [target.connect(8).await?];
    call_at_rate(&callers, per_second, time / 4).await;
    let mut calls = call_at_rate(&callers, per_second, time).await;
    anyhow::ensure!(
        calls.failed.is_empty() && calls.refused + calls.unsent == 0,
        "{name}: {:?} failed, {} were refused, {} were not sent",
        calls.failed,
        calls.refused,
        calls.unsent
    );
    let [median, high] = [50, 99].map(|share| report::to_ms(report::percentile(&mut calls.answered, share)));
    report::print_line(&format!("{name:<12}{per_second:>10.0}{median:>10.1}{high:>10.1}"));
    Ok(())
}

/// Prints the delays from the commit of an update to the commit of its effect in each consumer.
async fn print_delays(bench: &Installation) -> anyhow::Result<()> {
    let mut admin = PgConnection::connect(&bench.servers.postgres.admin_url("postgres")).await?;
    let last = Instant::now();
    for consumer in CONSUMERS {
        let updates = format!(
            "opportunity.event_journal AS event LEFT JOIN {consumer}.inbox AS applied
               ON applied.event_id = event.event_id AND applied.consumer = '{consumer}-opportunity'
             WHERE event.type = 'cosell.opportunity.v1.OpportunityUpdated'"
        );
        let waiting = format!("SELECT count(*) FROM {updates} AND applied.event_id IS NULL");
        while sqlx::query_scalar::<_, i64>(AssertSqlSafe(waiting.clone()))
            .fetch_one(&mut admin)
            .await?
            > 0
        {
            anyhow::ensure!(last.elapsed() < LIMIT, "{consumer} has not applied all events");
            sleep(Duration::from_millis(100)).await;
        }
        let delays = format!(
            "SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY 1000 * extract(epoch FROM
               pg_xact_commit_timestamp(applied.xmin) - pg_xact_commit_timestamp(event.xmin))::float8)
             FROM {updates}"
        );
        let delays: Vec<f64> = sqlx::query_scalar(AssertSqlSafe(delays))
            .fetch_one(&mut admin)
            .await?;
        let [median, high] = delays[..] else {
            anyhow::bail!("no delays")
        };
        report::print_line(&format!(
            "{:<22}{median:>10.1}{high:>10.1}",
            format!("in {consumer}")
        ));
    }
    Ok(())
}
