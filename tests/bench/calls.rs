//! How many reads and creations of opportunities are answered in a second, with several callers at a time.

use std::time::Duration;

use cosell::demo::Person;
use cosell::demo::calls::{create, get};
use futures::future::try_join_all;
use tokio::time::Instant;

use crate::{Bench, report};

const CALLERS: usize = 8;
const RECORDS: usize = 100;

/// Calls for so long, first one kind, then the other.
pub async fn run(bench: &Bench, time: Duration) -> anyhow::Result<()> {
    let partner = bench.services.person("alder-ace-user");
    let mut ids = Vec::new();
    for _ in 0..RECORDS {
        ids.push(create(&partner, cosell_tests::record()).await?.opportunity_id);
    }
    let reads = calls(time, async |number| {
        get(&partner, &ids[number % RECORDS]).await.map(drop)
    })
    .await?;
    let creations = calls(time, async |_| made(&partner).await).await?;
    report::rates(&[("GetOpportunity", reads), ("CreateOpportunity", creations)]);
    Ok(())
}

async fn made(partner: &Person) -> anyhow::Result<()> {
    create(partner, cosell_tests::record()).await.map(drop)
}

/// Answers a second.
async fn calls(time: Duration, call: impl AsyncFn(usize) -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let caller = async |caller| {
        let mut answers = 0_u32;
        while begun.elapsed() < time {
            call(caller + answers as usize * CALLERS).await?;
            answers += 1;
        }
        anyhow::Ok(answers)
    };
    let answers = try_join_all((0..CALLERS).map(caller)).await?;
    Ok(f64::from(answers.iter().sum::<u32>()) / begun.elapsed().as_secs_f64())
}
