//! G5: four times the calls that the services can answer, whether earlier ones are answered or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use cosell_tests::load::{Calls, call_at_rate, call_in_turn};
use cosell_tests::{Installation, report};
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::Bars;
use crate::lists::{create_opportunities, list_of};

const CALLERS: [&str; 4] = [
    "alder-ace-manager",
    "alder-alliance-lead",
    "birch-ace-manager",
    "aws-reviewer",
];

/// Measurements of both sides of the ratio.
const ROUNDS: usize = 5;

pub async fn run(bars: &mut Bars, phase: Duration) -> anyhow::Result<()> {
    let installation = Installation::start(&[]).await?;
    create_opportunities(
        &installation.services,
        &["alder-ace-manager", "birch-ace-manager"],
    )
    .await?;
    let mut callers = Vec::new();
    for member in CALLERS {
        callers.push(list_of(&installation.services, member)?.connect(4).await?);
    }
    // Fills caches and pools.
    call_in_turn(&callers, 32, phase / 4).await;
    let before = scans(&installation).await;
    let calm = call_in_turn(&callers, 32, phase).await;
    let of_answered = (scans(&installation).await - before) / calm.answered.len() as f64;

    let probes = Probes::start(&installation)?;
    let before = scans(&installation).await;
    let (mut ratios, mut all, mut answered) = (Vec::new(), Calls::default(), 0);
    // Both sides follow each other closely, because the speed of a shared machine changes within minutes.
    for _ in 0..ROUNDS {
        let calm = call_in_turn(&callers, 32, phase / 2).await;
        let capacity = calm.answered.len() as f64 / (phase / 2).as_secs_f64();
        let calls = call_at_rate(&callers, capacity * 4.0, phase).await;
        let goodput = calls.answered.len() as f64 / phase.as_secs_f64();
        report::print_line(&format!(
            "capacity: {capacity:.0} calls a second; offered: {:.0}; goodput: {goodput:.0}; refused: {}; failed: {} {:?}; \
             not sent: {}",
            capacity * 4.0,
            calls.refused,
            calls.failed.len(),
            calls.failed.first(),
            calls.unsent
        ));
        ratios.push(goodput / capacity);
        answered += calm.answered.len();
        all.append(calls);
    }
    let scans = scans(&installation).await - before;
    let (mut probed, failed_probes) = probes.stop().await;

    ratios.sort_by(f64::total_cmp);
    let ratio = ratios[ROUNDS / 2];
    bars.check("goodput / capacity, median", ratio, ">= 0.70", ratio >= 0.7);
    let admitted = answered + all.answered.len() + all.failed.len();
    let further = (scans - of_answered * admitted as f64) / all.refused.max(1) as f64;
    bars.check("scans of a refused call", further, "<= 0.02", further <= 0.02);
    let high = report::to_ms(report::percentile(&mut probed, 99));
    bars.check("health check, p99 (ms)", high, "<= 250", high <= 250.0);
    bars.check(
        "failed health checks",
        failed_probes as f64,
        "= 0",
        failed_probes == 0,
    );
    installation.services.stop();
    Ok(())
}

/// The scans of the table of opportunities so far, which no background work reads.
async fn scans(installation: &Installation) -> f64 {
    // An idle connection reports its statistics after ten seconds.
    sleep(Duration::from_secs(11)).await;
    let sql = "SELECT seq_scan + idx_scan FROM pg_stat_user_tables WHERE schemaname = 'opportunity' \
               AND relname = 'opportunity'";
    installation.servers.count(sql).await as f64
}

/// Health checks, every 50 ms.
struct Probes {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<(Vec<Duration>, usize)>,
}

impl Probes {
    fn start(installation: &Installation) -> anyhow::Result<Self> {
        let channel = Endpoint::from_shared(installation.services.info.health.clone())
            .context("an address")?
            .connect_lazy();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let (mut times, mut failed) = (Vec::new(), 0);
            while !stopped.load(Ordering::Relaxed) {
                let started = Instant::now();
                let mut client = HealthClient::new(channel.clone());
                let check = client.check(HealthCheckRequest {
                    service: "readiness".to_owned(),
                });
                match timeout(Duration::from_secs(1), check).await {
                    Ok(Ok(answer)) if answer.get_ref().status == 1 => times.push(started.elapsed()),
                    _ => failed += 1,
                }
                sleep(Duration::from_millis(50)).await;
            }
            (times, failed)
        });
        Ok(Self { stop, task })
    }

    async fn stop(self) -> (Vec<Duration>, usize) {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap_or_default()
    }
}
