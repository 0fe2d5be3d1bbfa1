//! G7: a member of account A, from one address, misuses its connections. Account B calls from another address.

use std::time::Duration;

use cosell_tests::load::{Calls, address, authorization, call_at_rate};
use cosell_tests::{Installation, report};
use tokio::time::{Instant, sleep};

use crate::Bars;
use crate::attacks::Attack;
use crate::lists::{create_opportunities, list_of};

/// Calls per second of account B.
const PROBES: f64 = 100.0;
/// Time after which clients that do not read must be disconnected.
const UNREAD: Duration = Duration::from_secs(60);
/// How long the services have to release what the attacks used.
const RECOVERY: Duration = Duration::from_secs(60);

pub async fn run(bars: &mut Bars, phase: Duration) -> anyhow::Result<()> {
    let installation = Installation::start(&[("COSELL_ACCOUNT_RATE", "500")]).await?;
    let services = &installation.services;
    create_opportunities(services, &["alder-ace-user", "birch-ace-manager"]).await?;
    let server = address(services)?;
    let prober = [list_of(services, "birch-ace-manager")?.connect(2).await?];
    // The one has a role that permits nothing here.
    let attackers = [
        authorization(services, "alder-channel-user")?,
        authorization(services, "alder-ace-user")?,
    ];

    call_at_rate(&prober, PROBES, phase).await;
    let before = report::resident_memory(services.id())?;
    let mut quiet = Calls::default();
    let mut during = Vec::new();
    for attack in Attack::ALL {
        quiet.append(call_at_rate(&prober, PROBES, phase / 2).await);
        // Longer than a client may leave an answer unread.
        let phase = if attack.needs_answers() {
            phase.max(UNREAD)
        } else {
            phase
        };
        let until = Instant::now() + phase;
        let attacker = &attackers[usize::from(attack.needs_answers())];
        let attacking = attack.run(server, attacker, until);
        let (open, calls) = tokio::join!(attacking, call_at_rate(&prober, PROBES, phase));
        during.push((attack, open, calls));
        sleep(Duration::from_secs(1)).await;
    }
    let calm = quiet.p99();
    report::print_line(&format!(
        "B's p99 while it is quiet: {calm:.1} ms, of all parts together {:.1} ms, n = {}, {} refused, {} failed",
        quiet.whole_p99(),
        quiet.answered.len(),
        quiet.refused,
        quiet.failed.len()
    ));
    for (attack, open, calls) in during {
        let high = calls.p99();
        let whole = calls.whole_p99();
        let name =
            format!("{attack:?}: B's p99 {high:.1} ms ({whole:.1}) / quiet, {open} of A's connections left");
        bars.check(&name, high / calm, "<= 1.50", high <= calm * 1.5);
        if attack.needs_answers() {
            let name = format!("{attack:?}: A's connections that are left");
            bars.check(&name, open as f64, "= 0", open == 0);
        }
        let lost = calls.refused + calls.failed.len() + calls.unsent;
        if lost > 0 {
            bars.check(
                &format!("{attack:?}: B's calls refused or failed"),
                lost as f64,
                "= 0",
                false,
            );
        }
    }
    sleep(RECOVERY).await;
    let after = report::resident_memory(services.id())?;
    report::print_line(&format!(
        "resident memory: {before} MiB before, {after} MiB a minute after"
    ));
    let ratio = after as f64 / before as f64;
    bars.check("resident memory after / before", ratio, "<= 1.10", ratio <= 1.1);
    installation.services.stop();
    Ok(())
}
