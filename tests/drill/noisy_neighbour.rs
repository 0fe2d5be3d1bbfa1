//! G6: account A calls at its quota and at twenty times its quota, in turns; account B calls 50 times a second.

use std::collections::HashSet;
use std::time::Duration;

use cosell_tests::load::{Calls, call_at_low_priority, call_at_rate};
use cosell_tests::{Installation, report};

use crate::Bars;
use crate::lists::{create_opportunities, list_of};

/// Calls per second of an account.
const QUOTA: u32 = 100;
const EXCESS: f64 = 20.0;
/// Calls per second of account B.
const OTHER: f64 = 50.0;
/// As many as the parts of [`Calls::p99`].
const ROUNDS: usize = 5;

pub async fn run(bars: &mut Bars, phase: Duration) -> anyhow::Result<()> {
    let installation = Installation::start(&[("COSELL_ACCOUNT_RATE", &QUOTA.to_string())]).await?;
    let services = &installation.services;
    let members @ [member, other] = ["alder-ace-manager", "birch-ace-manager"];
    create_opportunities(services, &members).await?;
    let target = list_of(services, member)?;
    let other = [list_of(services, other)?.connect(4).await?];
    let (mut calm, mut beside, mut excess) = (Calls::default(), Calls::default(), Calls::default());
    for _ in 0..ROUNDS {
        for (rate, others) in [(1.0, &mut calm), (EXCESS, &mut beside)] {
            let own = call_at_low_priority(&target, 4, f64::from(QUOTA) * rate, phase);
            let (own, other) = tokio::join!(own, call_at_rate(&other, OTHER, phase));
            others.append(other);
            let own = own?;
            if rate > 1.0 {
                excess.append(own);
            }
        }
    }
    report::print_line(&format!(
        "A at {EXCESS} times its quota of {QUOTA} a second: {} answered, {} refused, {} failed, {} not sent {:?}",
        excess.answered.len(),
        excess.refused,
        excess.failed.len(),
        excess.unsent,
        excess.failed.iter().collect::<HashSet<_>>()
    ));
    let offered = f64::from(QUOTA) * EXCESS * phase.as_secs_f64() * ROUNDS as f64;
    let share = excess.responses() as f64 / offered;
    bars.check(
        "A's calls that got a response / offered",
        share,
        ">= 0.90",
        share >= 0.9,
    );
    let [before, after] = [&calm, &beside].map(|calls| {
        let median = report::to_ms(report::percentile(&mut calls.answered.clone(), 50));
        let (high, whole) = (calls.p99(), calls.whole_p99());
        report::print_line(&format!(
            "B: p50 {median:.1} ms, p99 {high:.1} ms, of all parts together {whole:.1} ms, n = {}",
            calls.answered.len()
        ));
        high
    });
    bars.check(
        "B's p99 beside excess / beside quota",
        after / before,
        "<= 1.50",
        after <= before * 1.5,
    );
    let lost = [&calm, &beside].map(|calls| calls.refused + calls.failed.len() + calls.unsent);
    let lost = lost.iter().sum::<usize>();
    bars.check("B's calls refused or failed", lost as f64, "= 0", lost == 0);
    installation.services.stop();
    Ok(())
}
