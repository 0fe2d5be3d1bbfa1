//! Measures the delay from the response of DecideReview to the first read of the opportunity that shows the decision.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use cosell::demo::calls::{
    WAIT_LIMIT, claim_case, create_opportunity, get_opportunity, request_id, submit_opportunity,
    wait_for_round,
};
use cosell_proto::cosell::opportunity::v1::InvolvementType;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_tests::{Installation, report};
use tokio::time::Instant;

/// The limit for the 99th percentile on an idle machine.
const P99_LIMIT: Duration = Duration::from_millis(250);

/// Decides opportunities sequentially on otherwise idle services.
pub async fn run(bench: &Installation, rounds: usize) -> anyhow::Result<()> {
    let partner = bench.services.member("alder-ace-user");
    let reviewer = bench.services.member("aws-reviewer");
    let (mut shown, mut read) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let id = create_opportunity(&partner, cosell_tests::valid_opportunity())
            .await?
            .opportunity_id;
        submit_opportunity(&partner, &id, InvolvementType::CoSell).await?;
        let case = wait_for_round(&reviewer, &id, 1).await?.review_case_id;
        claim_case(&reviewer, &case).await?;
        let started = Instant::now();
        get_opportunity(&partner, &id).await?;
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
            let life_cycle = get_opportunity(&partner, &id)
                .await?
                .life_cycle
                .context("a life cycle")?;
            if life_cycle.review_status() == ReviewStatus::Approved {
                break;
            }
            ensure!(answered.elapsed() < WAIT_LIMIT, "{id} does not show the decision");
        }
        shown.push(answered.elapsed());
    }
    let too_slow = shown.iter().filter(|time| **time > P99_LIMIT).count();
    report::print_durations(&mut [
        ("DecideReview answered → decision shown", shown),
        ("one GetOpportunity", read),
    ]);
    ensure!(
        too_slow * 100 <= rounds,
        "{too_slow} decisions took longer than {P99_LIMIT:?} to show"
    );
    Ok(())
}
