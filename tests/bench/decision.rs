//! How soon an opportunity shows what review decided: from the answer of DecideReview to the first read that has it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use cosell::demo::calls::{PATIENCE, claim, create, get, request_id, submit, until_round};
use cosell_proto::cosell::opportunity::v1::InvolvementType;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use tokio::time::Instant;

use crate::{Bench, report};

/// What 99 of 100 decisions must keep to, on an idle machine.
const BAR: Duration = Duration::from_millis(250);

/// Decides one opportunity after the other, with nothing else going on.
pub async fn run(bench: &Bench, rounds: usize) -> anyhow::Result<()> {
    let partner = bench.services.person("alder-ace-user");
    let reviewer = bench.services.person("aws-reviewer");
    let (mut shown, mut read) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let id = create(&partner, cosell_tests::record()).await?.opportunity_id;
        submit(&partner, &id, InvolvementType::CoSell).await?;
        let case = until_round(&reviewer, &id, 1).await?.review_case_id;
        claim(&reviewer, &case).await?;
        let started = Instant::now();
        get(&partner, &id).await?;
        read.push(started.elapsed());

        let decide = review::DecideReviewRequest {
            review_case_id: case,
            decision: review::ReviewDecision::Approve.into(),
            request_id: request_id(),
            ..Default::default()
        };
        reviewer.reviews().decide_review(decide).await?;
        let answered = Instant::now();
        loop {
            let life_cycle = get(&partner, &id).await?.life_cycle.context("a life cycle")?;
            if life_cycle.review_status() == ReviewStatus::Approved {
                break;
            }
            ensure!(answered.elapsed() < PATIENCE, "{id} does not show the decision");
        }
        shown.push(answered.elapsed());
    }
    let over = shown.iter().filter(|time| **time > BAR).count();
    report::times(&mut [
        ("DecideReview answered → decision shown", shown),
        ("one GetOpportunity", read),
    ]);
    ensure!(
        over * 100 <= rounds,
        "{over} decisions took longer than {BAR:?} to show"
    );
    Ok(())
}
