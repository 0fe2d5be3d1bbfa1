//! Calls per second beside what the database answers: the transaction of each call, as it was when these benchmarks were
//! written, by pgbench.

use std::time::Duration;

use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_tests::load::{Target, call_in_turn};
use cosell_tests::{Installation, report, valid_opportunity};

use crate::pgbench;
use crate::records::{self, OWNER};

const CALLERS: [usize; 3] = [1, 8, 32];
const PAGE: i32 = 20;

/// Measures each kind of call, and its transaction, for `time` with each number of callers.
pub async fn run(bench: &Installation, records: i64, time: Duration) -> anyhow::Result<()> {
    records::insert(bench, records).await?;
    report::print_line(&format!(
        "{:<12}{:>8}{:>12}{:>12}{:>8}{:>10}{:>10}  {records} records",
        "a second", "callers", "calls", "pgbench", "ratio", "p50 ms", "p99 ms"
    ));
    let services = &bench.services;
    let get = move |number: usize| pb::GetOpportunityRequest {
        // Spread over all records.
        opportunity_id: format!("O{}", number.wrapping_mul(7_919) % records as usize + 1),
        ..Default::default()
    };
    let list = |_| pb::ListOpportunitiesRequest {
        page_size: PAGE,
        ..Default::default()
    };
    let create = |_| pb::CreateOpportunityRequest {
        opportunity: Some(valid_opportunity()),
        ..Default::default()
    };
    let service = "cosell.opportunity.v1.OpportunityService";
    let rows = [
        (
            "get",
            Target::new(services, OWNER, &format!("{service}/GetOpportunity"), get)?,
        ),
        (
            "list",
            Target::new(services, OWNER, &format!("{service}/ListOpportunities"), list)?,
        ),
        (
            "create",
            Target::new(services, OWNER, &format!("{service}/CreateOpportunity"), create)?,
        ),
    ];
    for (name, target) in rows {
        let script = format!("reference/{name}.sql");
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
            let limit = pgbench::measure(&bench.servers, &script, callers, records, time).await?;
            let [median, high] =
                [50, 99].map(|share| report::to_ms(report::percentile(&mut calls.answered, share)));
            report::print_line(&format!(
                "{name:<12}{callers:>8}{rate:>12.0}{limit:>12.0}{:>8.2}{median:>10.1}{high:>10.1}",
                rate / limit
            ));
        }
    }
    Ok(())
}
