//! The partner corrects opportunities in ACTION_REQUIRED and submits them again.

use anyhow::{Context as _, ensure};
use cosell_proto::cosell::notification::v1::NotificationKind;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::{ReviewReason, ReviewStatus};

use super::Verdict;
use super::calls::{submit_opportunity, update_opportunity, wait_for_round, wait_for_status};
use super::member_client::{MemberClient, error_reason};
use super::scenario::{DemoOpportunity, REVIEWER, Scenario};

impl Scenario<'_> {
    /// Finds opportunities in ACTION_REQUIRED by their status, corrects and submits them, and approves them.
    pub(super) async fn correct(&mut self, opportunities: &mut [DemoOpportunity<'_>]) -> anyhow::Result<()> {
        let reviewer = self.member(REVIEWER)?;
        for item in opportunities {
            let Some(verdict) = &item.record.verdict else {
                continue;
            };
            if verdict.decision()? != review::ReviewDecision::ActionRequired {
                continue;
            }
            let member = self.member(&item.record.member)?;
            let filter = opportunity::OpportunityFilter {
                review_statuses: vec![ReviewStatus::ActionRequired.into()],
                ..Default::default()
            };
            let list = opportunity::ListOpportunitiesRequest {
                filter: Some(filter),
                ..Default::default()
            };
            let list = member
                .opportunities()
                .list_opportunities(list)
                .await?
                .into_inner()
                .opportunities;
            let found = list.iter().find(|found| found.opportunity_id == item.id);
            let found = found.with_context(|| format!("{} is not listed as ACTION_REQUIRED", item.id))?;
            let comments = found.life_cycle.clone().unwrap_or_default().review_comments;
            ensure!(
                comments == verdict.remarks,
                "the remarks on {} are {comments:?}",
                item.id
            );
            self.report(
                &member.id,
                format!(
                    "filters by ACTION_REQUIRED, opens {}, reads:\n“{comments}”",
                    item.id
                ),
            );
            if verdict.reason()? == ReviewReason::ClarifyRevenue {
                self.verify_revenue_opened(&member, found)?;
            }
            self.verify_notified(&member, item, NotificationKind::ActionRequired, &comments)
                .await?;
            self.save_and_submit(&member, item, verdict).await?;

            let case = wait_for_round(&reviewer, &item.id, 2).await?;
            self.decide(&reviewer, &case, item, true).await?;
            let seen = wait_for_status(&member, &item.id, ReviewStatus::Approved).await?;
            item.revision = seen.revision;
            self.report(&member.id, format!("sees      {}  APPROVED", item.id));
        }
        Ok(())
    }

    /// The question about the revenue opens the software revenue, besides what every decision opens.
    fn verify_revenue_opened(
        &mut self,
        member: &MemberClient,
        found: &opportunity::Opportunity,
    ) -> anyhow::Result<()> {
        let fields = &found.life_cycle.clone().unwrap_or_default().correctable_fields;
        let opened: Vec<_> = fields
            .iter()
            .filter(|field| field.starts_with("software_revenue."))
            .map(String::as_str)
            .collect();
        ensure!(
            opened.len() == 4,
            "CLARIFY_REVENUE does not open the software revenue: {fields:?}"
        );
        let event = format!(
            "may change {} fields; for this reason also {}",
            fields.len(),
            opened.join(", ")
        );
        self.report(&member.id, event);
        Ok(())
    }

    async fn save_and_submit(
        &mut self,
        member: &MemberClient,
        item: &mut DemoOpportunity<'_>,
        verdict: &Verdict,
    ) -> anyhow::Result<()> {
        let locked = opportunity::Opportunity {
            project: Some(opportunity::Project {
                title: "Another title".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let refused = update_opportunity(member, &item.id, locked, Some("project.title")).await;
        let status = refused.err().context("a locked field was changed")?;
        ensure!(
            error_reason(&status) == "FIELD_NOT_EDITABLE",
            "a locked field was refused with another reason: {status}"
        );
        self.report(
            &member.id,
            format!("tries to change the title of {}: {}", item.id, status.message()),
        );

        let saved = update_opportunity(member, &item.id, verdict.fix()?, None).await?;
        self.report(
            &member.id,
            format!("corrects  {}  and saves, revision {}", item.id, saved.revision),
        );
        let involvement = item.record.involvement()?.context("an involvement")?;
        item.revision = submit_opportunity(member, &item.id, involvement).await?.revision;
        self.report(&member.id, format!("submits   {}  again", item.id));
        Ok(())
    }
}
