//! The steps of the demo.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use cosell_proto::cosell::notification::v1::NotificationKind;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_types::{Clock, random};
use tokio::time::Instant;
use tonic::Code;
use tonic::transport::Endpoint;

use super::calls::{
    POLL_INTERVAL, WAIT_LIMIT, claim_case, create_opportunity, get_opportunity, list_opportunities,
    list_queue, request_id, submit_opportunity, summary_line, try_create_opportunity, wait_for_status,
};
use super::input::{Input, Record};
use super::member_client::{MemberClient, error_reason, field_violations};
use super::timeline::TimelineEntry;
use crate::stack::StackInfo;

pub(super) const REVIEWER: &str = "aws-reviewer";
const OUTSIDER: &str = "birch-alliance-lead";

/// An opportunity of the demo.
pub(super) struct DemoOpportunity<'a> {
    pub(super) record: &'a Record,
    pub(super) id: String,
    /// The last revision that the partner has read.
    pub(super) revision: i64,
}

pub(super) struct Scenario<'a> {
    members: BTreeMap<String, MemberClient>,
    pub(super) mail: &'a Path,
    report: &'a mut dyn FnMut(&TimelineEntry),
}

/// Runs the demo against a running installation. `mail` is the folder of received e-mails; `report` is called for every
/// event.
pub async fn run(
    info: &StackInfo,
    mail: &Path,
    input: &Input,
    report: &mut (dyn FnMut(&TimelineEntry) + Send),
) -> anyhow::Result<()> {
    let channel = Endpoint::from_shared(info.address.clone())?
        .connect()
        .await
        .context("connecting to the services")?;
    let mut members = BTreeMap::new();
    for id in info.members.keys() {
        members.insert(id.clone(), MemberClient::new(&channel, &info.tokens, id)?);
    }
    let mut scenario = Scenario {
        members,
        mail,
        report,
    };
    scenario.connect().await?;
    let mut opportunities = scenario.create(input).await?;
    scenario.submit(&mut opportunities).await?;
    scenario.withdraw(&mut opportunities).await?;
    scenario.review(&opportunities).await?;
    scenario.verify_decisions(&mut opportunities).await?;
    scenario.correct(&mut opportunities).await?;
    scenario.refer().await?;
    scenario.share(&opportunities).await?;
    scenario.use_channel(&opportunities).await?;
    scenario.close(&opportunities).await?;
    scenario.verify_isolation(&opportunities).await?;
    scenario.report_statuses(&opportunities).await
}

impl Scenario<'_> {
    pub(super) fn member(&self, id: &str) -> anyhow::Result<MemberClient> {
        self.members
            .get(id)
            .cloned()
            .with_context(|| format!("{id} is not a seeded member"))
    }

    pub(super) fn report(&mut self, actor: &str, event: impl Into<String>) {
        (self.report)(&TimelineEntry::new(actor, event));
    }

    /// Members of partners create opportunities. Some first send mistakes, get all violations at once, and correct
    /// them.
    async fn create<'a>(&mut self, input: &'a Input) -> anyhow::Result<Vec<DemoOpportunity<'a>>> {
        let today = Clock::system().now().date_naive();
        // A partner's identifiers are unique, and the demo may have run on this installation before.
        let run = random::prefixed("-");
        let mut opportunities = Vec::new();
        for record in &input.records {
            let member = self.member(&record.member)?;
            let mut content = record.initial(today)?;
            if !record.mistakes.is_empty() {
                self.verify_refused(&member, record, content).await?;
                content = record.corrected(today)?;
            }
            if !content.partner_opportunity_identifier.is_empty() {
                content.partner_opportunity_identifier.push_str(&run);
            }
            let created = create_opportunity(&member, content).await?;
            let event = format!("creates   {}  {}", created.opportunity_id, summary_line(&created));
            self.report(&member.id, event);
            opportunities.push(DemoOpportunity {
                record,
                id: created.opportunity_id,
                revision: created.revision,
            });
        }
        Ok(opportunities)
    }

    async fn verify_refused(
        &mut self,
        member: &MemberClient,
        record: &Record,
        content: opportunity::Opportunity,
    ) -> anyhow::Result<()> {
        let title = content.project.clone().unwrap_or_default().title;
        let Err(status) = try_create_opportunity(member, content).await else {
            bail!("{title:?} has mistakes, but was accepted");
        };
        ensure!(
            status.code() == Code::InvalidArgument,
            "{title:?} was refused with another status: {status}"
        );
        let found = field_violations(&status);
        for path in &record.mistakes {
            ensure!(
                found.iter().any(|(field, _)| field == path),
                "{path} of {title:?} was not refused: {found:?}"
            );
        }
        ensure!(
            found.len() == record.mistakes.len(),
            "more fields of {title:?} were refused than are invalid: {found:?}"
        );
        let mut event = format!("is refused: {title:?}");
        for (field, text) in &found {
            let text: String = text.chars().take(110).collect();
            event.push_str(&format!("\n{field} {text}"));
        }
        self.report(&member.id, event);
        Ok(())
    }

    async fn submit(&mut self, opportunities: &mut [DemoOpportunity<'_>]) -> anyhow::Result<()> {
        for item in opportunities {
            let Some(involvement) = item.record.involvement()? else {
                continue;
            };
            let member = self.member(&item.record.member)?;
            item.revision = submit_opportunity(&member, &item.id, involvement).await?.revision;
            let name = involvement.as_str_name().trim_start_matches("INVOLVEMENT_TYPE_");
            self.report(&member.id, format!("submits   {}  {name}", item.id));
        }
        Ok(())
    }

    /// Members withdraw submissions whose review has not started.
    async fn withdraw(&mut self, opportunities: &mut [DemoOpportunity<'_>]) -> anyhow::Result<()> {
        for item in opportunities {
            if item.record.verdict.is_some() || item.record.involvement()?.is_none() {
                continue;
            }
            let member = self.member(&item.record.member)?;
            let request = opportunity::WithdrawSubmissionRequest {
                opportunity_id: item.id.clone(),
                request_id: request_id(),
                ..Default::default()
            };
            let response = member
                .lifecycle()
                .withdraw_submission(request)
                .await?
                .into_inner();
            item.revision = response.opportunity.context("an opportunity")?.revision;
            self.report(
                &member.id,
                format!("withdraws {}  a draft again; AWS no longer sees it", item.id),
            );
        }
        Ok(())
    }

    /// A reviewer lists the queue, and claims, starts and decides all review cases.
    async fn review(&mut self, opportunities: &[DemoOpportunity<'_>]) -> anyhow::Result<()> {
        let reviewer = self.member(REVIEWER)?;
        let expected: Vec<_> = opportunities
            .iter()
            .filter(|item| item.record.verdict.is_some())
            .collect();
        let deadline = Instant::now() + WAIT_LIMIT;
        let queue = loop {
            let queue = list_queue(&reviewer).await?;
            if expected
                .iter()
                .all(|item| queue.iter().any(|case| case.opportunity_id == item.id))
            {
                break queue;
            }
            ensure!(
                Instant::now() < deadline,
                "the queue shows {} of {} submissions",
                queue.len(),
                expected.len()
            );
            tokio::time::sleep(POLL_INTERVAL).await;
        };
        self.report(REVIEWER, format!("lists the queue: {} cases wait", queue.len()));
        for item in expected {
            let case = queue
                .iter()
                .find(|case| case.opportunity_id == item.id)
                .context("a case")?;
            self.decide(&reviewer, case, item, false).await?;
        }
        Ok(())
    }

    pub(super) async fn decide(
        &mut self,
        reviewer: &MemberClient,
        case: &review::ReviewCase,
        item: &DemoOpportunity<'_>,
        corrected: bool,
    ) -> anyhow::Result<()> {
        let id = case.review_case_id.clone();
        let verdict = item.record.verdict.as_ref().context("a verdict")?;
        claim_case(reviewer, &id).await?;
        let start = review::StartReviewRequest {
            review_case_id: id.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        reviewer.reviews().start_review(start).await?;
        let get = review::GetReviewCaseRequest {
            review_case_id: id.clone(),
        };
        let whole = reviewer
            .reviews()
            .get_review_case(get)
            .await?
            .into_inner()
            .review_case
            .unwrap_or_default();
        let submitted = whole
            .rounds
            .last()
            .and_then(|round| round.opportunity.clone())
            .context("the submitted opportunity")?;
        ensure!(
            submitted.revision == item.revision,
            "the review case of {} has another revision than the submitted one",
            item.id
        );
        let decision = if corrected {
            review::ReviewDecision::Approve
        } else {
            verdict.decision()?
        };
        let mut request = review::DecideReviewRequest {
            review_case_id: id.clone(),
            decision: decision.into(),
            request_id: request_id(),
            ..Default::default()
        };
        if !corrected {
            request.reason = verdict.reason()?.into();
            request.review_comments.clone_from(&verdict.remarks);
        }
        let remarks = request.review_comments.clone();
        reviewer.reviews().decide_review(request).await?;
        let decision = decision.as_str_name().trim_start_matches("REVIEW_DECISION_");
        let round = whole.round;
        let mut event = format!("decides   {}  round {round}, {id}: {decision}", item.id);
        if !remarks.is_empty() {
            event.push_str(&format!("\n“{remarks}”"));
        }
        self.report(REVIEWER, event);
        Ok(())
    }

    /// Every owner reads the decision in the opportunity. Final decisions are also in the inbox and sent by e-mail.
    async fn verify_decisions(&mut self, opportunities: &mut [DemoOpportunity<'_>]) -> anyhow::Result<()> {
        for item in opportunities {
            let Some(verdict) = &item.record.verdict else {
                continue;
            };
            let expected = match verdict.decision()? {
                review::ReviewDecision::Approve => ReviewStatus::Approved,
                review::ReviewDecision::ActionRequired => ReviewStatus::ActionRequired,
                _ => ReviewStatus::Rejected,
            };
            let member = self.member(&item.record.member)?;
            let seen = wait_for_status(&member, &item.id, expected).await?;
            item.revision = seen.revision;
            let name = expected.as_str_name().trim_start_matches("REVIEW_STATUS_");
            self.report(&member.id, format!("sees      {}  {name}", item.id));
            let kind = match expected {
                ReviewStatus::Approved => NotificationKind::OpportunityApproved,
                ReviewStatus::Rejected => NotificationKind::OpportunityRejected,
                _ => continue,
            };
            self.verify_notified(&member, item, kind, &verdict.remarks)
                .await?;
        }
        Ok(())
    }

    /// A member of the other partner neither sees Alder's opportunities nor can detect that they exist.
    async fn verify_isolation(&mut self, opportunities: &[DemoOpportunity<'_>]) -> anyhow::Result<()> {
        let outsider = self.member(OUTSIDER)?;
        let of_alder: Vec<_> = opportunities
            .iter()
            .filter(|item| item.record.member.starts_with("alder"))
            .collect();
        let list = list_opportunities(&outsider).await?;
        for item in &of_alder {
            ensure!(
                list.iter().all(|seen| seen.opportunity_id != item.id),
                "{OUTSIDER} sees {}",
                item.id
            );
            let request = opportunity::GetOpportunityRequest {
                opportunity_id: item.id.clone(),
                as_of: None,
            };
            let status = outsider.opportunities().get_opportunity(request).await.err();
            let status = status.with_context(|| format!("{OUTSIDER} reads {}", item.id))?;
            ensure!(
                error_reason(&status) == "OPPORTUNITY_NOT_FOUND",
                "{OUTSIDER} gets another error than for a nonexistent opportunity: {status}"
            );
        }
        let ids: Vec<_> = of_alder.iter().map(|item| item.id.as_str()).collect();
        self.verify_not_notified(&outsider, |to| to.contains("@birch."), &ids)
            .await?;
        let event = format!(
            "sees none of the {} opportunities of the other partner and gets no notification: NOT_FOUND",
            of_alder.len()
        );
        self.report(OUTSIDER, event);
        Ok(())
    }

    async fn report_statuses(&mut self, opportunities: &[DemoOpportunity<'_>]) -> anyhow::Result<()> {
        let mut counts = BTreeMap::new();
        for item in opportunities {
            let member = self.member(&item.record.member)?;
            let status = get_opportunity(&member, &item.id)
                .await?
                .life_cycle
                .unwrap_or_default()
                .review_status();
            *counts
                .entry(status.as_str_name().trim_start_matches("REVIEW_STATUS_"))
                .or_insert(0) += 1;
        }
        let counts: Vec<_> = counts
            .iter()
            .map(|(status, count)| format!("{count} {status}"))
            .collect();
        self.report("final statuses", counts.join(", "));
        Ok(())
    }
}
