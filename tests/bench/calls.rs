//! Measures reads and creations of opportunities per second with several concurrent callers.

use std::time::Duration;

use cosell::demo::MemberClient;
use cosell::demo::calls::{create_opportunity, get_opportunity};
use cosell_tests::{Installation, report};
use futures::future::try_join_all;
use tokio::time::Instant;

const CALLERS: usize = 8;
const OPPORTUNITIES: usize = 100;

/// Measures each kind of call for `time`.
pub async fn run(bench: &Installation, time: Duration) -> anyhow::Result<()> {
    let partner = bench.services.member("alder-ace-user");
    let mut ids = Vec::new();
    for _ in 0..OPPORTUNITIES {
        ids.push(
            create_opportunity(&partner, cosell_tests::valid_opportunity())
                .await?
                .opportunity_id,
        );
    }
    let reads = calls_per_second(time, async |number| {
        get_opportunity(&partner, &ids[number % OPPORTUNITIES])
            .await
            .map(drop)
    })
    .await?;
    let creations = calls_per_second(time, async |_| create(&partner).await).await?;
    report::print_rates(&[("GetOpportunity", reads), ("CreateOpportunity", creations)]);
    Ok(())
}

async fn create(partner: &MemberClient) -> anyhow::Result<()> {
    create_opportunity(partner, cosell_tests::valid_opportunity())
        .await
        .map(drop)
}

/// The responses per second of [`CALLERS`] concurrent callers.
async fn calls_per_second(
    time: Duration,
    call: impl AsyncFn(usize) -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    let started = Instant::now();
    let caller = async |caller| {
        let mut responses = 0_u32;
        while started.elapsed() < time {
            call(caller + responses as usize * CALLERS).await?;
            responses += 1;
        }
        anyhow::Ok(responses)
    };
    let responses = try_join_all((0..CALLERS).map(caller)).await?;
    Ok(f64::from(responses.iter().sum::<u32>()) / started.elapsed().as_secs_f64())
}
