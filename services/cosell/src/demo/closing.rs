//! The partner closes an opportunity as lost, and corrects its close date.

use anyhow::{Context as _, ensure};
use chrono::Days;
use cosell_grpc::convert::{date as date_message, time};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::r#type::v1::ReviewStatus;

use super::calls::{get_opportunity, request_id};
use super::scenario::{DemoOpportunity, Scenario};

impl Scenario<'_> {
    /// Closes the last approved opportunity. Its close date in the future becomes today, with a warning; the partner
    /// then corrects it.
    pub(super) async fn close(&mut self, opportunities: &[DemoOpportunity<'_>]) -> anyhow::Result<()> {
        let item = self.find_last_approved(opportunities).await?;
        let member = self.member(&item.record.member)?;
        let request = pb::ChangeStageRequest {
            opportunity_id: item.id.clone(),
            stage: pb::Stage::ClosedLost.into(),
            closed_lost_reason: pb::ClosedLostReason::Price.into(),
            request_id: request_id(),
            ..Default::default()
        };
        let closed = member.lifecycle().change_stage(request).await?.into_inner();
        let today = closed
            .opportunity
            .iter()
            .filter_map(|opportunity| time(opportunity.life_cycle.as_ref()?.close_time.as_ref()?))
            .next()
            .context("the time of the end")?
            .date_naive();
        let date = |opportunity: &pb::Opportunity| {
            let life_cycle = opportunity.life_cycle.as_ref();
            life_cycle.and_then(|life_cycle| life_cycle.target_close_date)
        };
        let opportunity = closed.opportunity.context("an opportunity")?;
        ensure!(
            date(&opportunity) == Some(date_message(today)) && closed.warnings.len() == 1,
            "the close date of {} was not moved to today with a warning",
            item.id
        );
        let mut event = format!("closes    {}  CLOSED_LOST", item.id);
        for warning in &closed.warnings {
            event.push_str(&format!("\n{} {}", warning.field, warning.description));
        }
        self.report(&member.id, event);

        let yesterday = today.checked_sub_days(Days::new(1)).context("yesterday")?;
        let request = pb::CorrectClosedOpportunityRequest {
            opportunity_id: item.id.clone(),
            target_close_date: Some(date_message(yesterday)),
            request_id: request_id(),
            ..Default::default()
        };
        let corrected = member
            .lifecycle()
            .correct_closed_opportunity(request)
            .await?
            .into_inner()
            .opportunity
            .context("an opportunity")?;
        ensure!(
            date(&corrected) == Some(date_message(yesterday)),
            "the close date of {} was not corrected",
            item.id
        );
        self.report(&member.id, format!("corrects  {}  lost on {yesterday}", item.id));
        Ok(())
    }

    async fn find_last_approved<'a, 'b>(
        &self,
        opportunities: &'a [DemoOpportunity<'b>],
    ) -> anyhow::Result<&'a DemoOpportunity<'b>> {
        for item in opportunities.iter().rev() {
            let member = self.member(&item.record.member)?;
            let life_cycle = get_opportunity(&member, &item.id)
                .await?
                .life_cycle
                .unwrap_or_default();
            let is_open = !matches!(life_cycle.stage(), pb::Stage::Launched | pb::Stage::ClosedLost);
            if life_cycle.review_status() == ReviewStatus::Approved && is_open {
                return Ok(item);
            }
        }
        anyhow::bail!("the demo has no approved opportunity")
    }
}
