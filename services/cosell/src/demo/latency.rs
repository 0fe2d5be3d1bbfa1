//! How soon an opportunity shows what review decided: from the answer of DecideReview to the first read that has it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use cosell_proto::cosell::opportunity::v1::InvolvementType;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_types::Clock;
use tokio::time::Instant;
use tonic::transport::Endpoint;

use super::calls::{PATIENCE, claim, create, get, request_id, submit, until_round};
use super::{Input, Person};
use crate::stack::StackInfo;

/// What was measured, each sorted.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    /// From the answer of DecideReview to the first read that shows the decision.
    pub decision: Vec<Duration>,
    /// One GetOpportunity: a decision cannot be seen in less.
    pub read: Vec<Duration>,
}

/// Decides one opportunity after the other, with nothing else going on.
pub async fn measure(info: &StackInfo, input: &Input, rounds: usize) -> anyhow::Result<Latency> {
    let channel = Endpoint::from_shared(info.address.clone())?.connect().await?;
    let partner = Person::new(&channel, &info.tokens, "alder-ace-user")?;
    let reviewer = Person::new(&channel, &info.tokens, "aws-reviewer")?;
    let record = input.records.first().context("a record")?;
    let mut given = record.first(Clock::system().now().date_naive())?;
    // The partner's own key can be used once only.
    given.partner_opportunity_identifier.clear();
    let mut measured = Latency::default();
    for _ in 0..rounds {
        let id = create(&partner, given.clone()).await?.opportunity_id;
        submit(&partner, &id, InvolvementType::CoSell).await?;
        let case = until_round(&reviewer, &id, 1).await?.review_case_id;
        claim(&reviewer, &case).await?;
        let started = Instant::now();
        get(&partner, &id).await?;
        measured.read.push(started.elapsed());

        let decide = review::DecideReviewRequest {
            review_case_id: case,
            decision: review::Decision::Approve.into(),
            request_id: request_id(),
            ..Default::default()
        };
        reviewer.reviews().decide_review(decide).await?;
        let answered = Instant::now();
        while get(&partner, &id)
            .await?
            .life_cycle
            .unwrap_or_default()
            .review_status()
            != ReviewStatus::Approved
        {
            ensure!(answered.elapsed() < PATIENCE, "{id} does not show the decision");
        }
        measured.decision.push(answered.elapsed());
    }
    measured.decision.sort_unstable();
    measured.read.sort_unstable();
    Ok(measured)
}

/// What 99 of 100 decisions must keep to, on an idle machine.
const BAR: Duration = Duration::from_millis(250);

impl Latency {
    /// Fails when the bar is not kept.
    pub fn keeps_the_bar(&self) -> anyhow::Result<()> {
        let over = self.decision.iter().filter(|time| **time > BAR).count();
        ensure!(
            over * 100 <= self.decision.len(),
            "{over} decisions took longer than {BAR:?} to show"
        );
        Ok(())
    }

    /// Prints both, in milliseconds.
    #[expect(clippy::print_stdout, reason = "the command's answer")]
    pub fn print(&self) {
        println!(
            "{:<44}{:>8}{:>8}{:>8}  (ms, {} times)",
            "",
            "p50",
            "p99",
            "max",
            self.decision.len()
        );
        for (what, times) in [
            ("DecideReview answered → decision shown", &self.decision),
            ("one GetOpportunity", &self.read),
        ] {
            let at = |share: usize| {
                let index = (times.len() * share / 100).min(times.len().saturating_sub(1));
                times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
            };
            println!("{what:<44}{:>8.1}{:>8.1}{:>8.1}", at(50), at(99), at(100));
        }
    }
}
