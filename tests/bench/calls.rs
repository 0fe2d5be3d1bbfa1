//! Calls per second beside what the database answers, by pgbench: the transaction of each call as it was when these
//! benchmarks were written, and as it is.

use std::time::Duration;

use cosell_tests::load::call_in_turn;
use cosell_tests::{Installation, report};

use crate::{pgbench, records, targets};

const CALLERS: [usize; 3] = [1, 8, 32];

/// Measures each kind of call, and its transaction, for `time` with each number of callers.
pub async fn run(bench: &Installation, records: i64, time: Duration) -> anyhow::Result<()> {
    records::insert(bench, records).await?;
    report::print_line(&format!(
        "{:<10}{:>8}{:>10}{:>11}{:>7}{:>10}{:>7}{:>9}{:>9}  {records} records",
        "a second", "callers", "calls", "reference", "ratio", "own SQL", "ratio", "p50 ms", "p99 ms"
    ));
    let services = &bench.services;
    // Beside the reference, the script of what the call sends today, if that differs.
    let rows = [
        ("get", Some("current/get.sql"), targets::get(services, records)?),
        ("list", None, targets::list(services)?),
        ("create", None, targets::create(services)?),
    ];
    for (name, own_script, target) in rows {
        let reference = format!("reference/{name}.sql");
        for callers in CALLERS {
            let caller = [target.connect(callers.min(8)).await?];
            call_in_turn(&caller, callers, time / 4).await;
            let mut calls = call_in_turn(&caller, callers, time).await;
            anyhow::ensure!(
                calls.failed.is_empty() && calls.refused == 0,
                "{name}: {} calls failed, {} were refused",
                calls.failed.len(),
                calls.refused
            );
            let rate = calls.answered.len() as f64 / time.as_secs_f64();
            let measure = |script| pgbench::measure(&bench.servers, script, callers, records, time);
            let reference = measure(&reference).await?;
            let own = match own_script {
                Some(script) => measure(script).await?,
                None => reference,
            };
            let [median, high] =
                [50, 99].map(|share| report::to_ms(report::percentile(&mut calls.answered, share)));
            report::print_line(&format!(
                "{name:<10}{callers:>8}{rate:>10.0}{reference:>11.0}{:>7.2}{own:>10.0}{:>7.2}{median:>9.1}{high:>9.1}",
                rate / reference,
                rate / own
            ));
        }
    }
    Ok(())
}
