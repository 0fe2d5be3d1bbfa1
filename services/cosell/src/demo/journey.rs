//! The journey, step by step.

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
    PATIENCE, PAUSE, all, claim, create, create_raw, get, headline, queue, request_id, submit, until_status,
};
use super::input::{Input, Record};
use super::people::{Person, reason, violations};
use super::timeline::Line;
use crate::stack::StackInfo;

pub(super) const REVIEWER: &str = "aws-reviewer";
const OUTSIDER: &str = "birch-alliance-lead";

/// An opportunity on its way.
pub(super) struct Traveller<'a> {
    pub(super) record: &'a Record,
    pub(super) id: String,
    /// The revision that the partner last saw.
    pub(super) revision: i64,
}

pub(super) struct Journey<'a> {
    people: BTreeMap<String, Person>,
    pub(super) mail: &'a Path,
    tell: &'a mut dyn FnMut(&Line),
}

/// Plays the journey and tells of every step.
pub async fn play(
    info: &StackInfo,
    mail: &Path,
    input: &Input,
    tell: &mut (dyn FnMut(&Line) + Send),
) -> anyhow::Result<()> {
    let channel = Endpoint::from_shared(info.address.clone())?
        .connect()
        .await
        .context("the stack does not answer")?;
    let mut people = BTreeMap::new();
    for id in info.members.keys() {
        people.insert(id.clone(), Person::new(&channel, &info.tokens, id)?);
    }
    let mut journey = Journey { people, mail, tell };
    journey.connect().await?;
    let mut travellers = journey.register(input).await?;
    journey.submit(&mut travellers).await?;
    journey.withdraw(&mut travellers).await?;
    journey.review(&travellers).await?;
    journey.see_decisions(&mut travellers).await?;
    journey.correct(&mut travellers).await?;
    journey.refer().await?;
    journey.share(&travellers).await?;
    journey.chat(&travellers).await?;
    journey.keep_out(&travellers).await?;
    journey.count(&travellers).await
}

impl Journey<'_> {
    pub(super) fn person(&self, id: &str) -> anyhow::Result<Person> {
        self.people
            .get(id)
            .cloned()
            .with_context(|| format!("{id} is not seeded"))
    }

    pub(super) fn say(&mut self, who: &str, what: impl Into<String>) {
        (self.tell)(&Line::new(who, what));
    }

    /// Partners register their opportunities. Some make mistakes, are told all of them at once, and correct them.
    async fn register<'a>(&mut self, input: &'a Input) -> anyhow::Result<Vec<Traveller<'a>>> {
        let today = Clock::system().now().date_naive();
        // The partner's own keys are unique, and the journey may have been played here before.
        let run = random::prefixed("-");
        let mut travellers = Vec::new();
        for record in &input.records {
            let person = self.person(&record.member)?;
            let mut given = record.first(today)?;
            if !record.mistakes.is_empty() {
                self.refused(&person, record, given).await?;
                given = record.corrected(today)?;
            }
            if !given.partner_opportunity_identifier.is_empty() {
                given.partner_opportunity_identifier.push_str(&run);
            }
            let made = create(&person, given).await?;
            let what = format!("registers {}  {}", made.opportunity_id, headline(&made));
            self.say(&person.id, what);
            travellers.push(Traveller {
                record,
                id: made.opportunity_id,
                revision: made.revision,
            });
        }
        Ok(travellers)
    }

    async fn refused(
        &mut self,
        person: &Person,
        record: &Record,
        given: opportunity::Opportunity,
    ) -> anyhow::Result<()> {
        let title = given.project.clone().unwrap_or_default().title;
        let Err(status) = create_raw(person, given).await else {
            bail!("{title:?} has mistakes, but was accepted");
        };
        ensure!(
            status.code() == Code::InvalidArgument,
            "{title:?} was refused otherwise: {status}"
        );
        let found = violations(&status);
        for path in &record.mistakes {
            ensure!(
                found.iter().any(|(field, _)| field == path),
                "{path} of {title:?} was not refused: {found:?}"
            );
        }
        ensure!(
            found.len() == record.mistakes.len(),
            "more of {title:?} was refused than is wrong: {found:?}"
        );
        let mut what = format!("is refused: {title:?}");
        for (field, text) in &found {
            let text: String = text.chars().take(110).collect();
            what.push_str(&format!("\n{field} {text}"));
        }
        self.say(&person.id, what);
        Ok(())
    }

    async fn submit(&mut self, travellers: &mut [Traveller<'_>]) -> anyhow::Result<()> {
        for traveller in travellers {
            let Some(involvement) = traveller.record.involvement()? else {
                continue;
            };
            let person = self.person(&traveller.record.member)?;
            traveller.revision = submit(&person, &traveller.id, involvement).await?.revision;
            let how = involvement.as_str_name().trim_start_matches("INVOLVEMENT_TYPE_");
            self.say(&person.id, format!("submits   {}  {how}", traveller.id));
        }
        Ok(())
    }

    /// A submission that nobody has started on can be taken back.
    async fn withdraw(&mut self, travellers: &mut [Traveller<'_>]) -> anyhow::Result<()> {
        for traveller in travellers {
            if traveller.record.verdict.is_some() || traveller.record.involvement()?.is_none() {
                continue;
            }
            let person = self.person(&traveller.record.member)?;
            let request = opportunity::WithdrawSubmissionRequest {
                opportunity_id: traveller.id.clone(),
                request_id: request_id(),
                ..Default::default()
            };
            let answer = person
                .lifecycle()
                .withdraw_submission(request)
                .await?
                .into_inner();
            traveller.revision = answer.opportunity.context("an opportunity")?.revision;
            self.say(
                &person.id,
                format!("withdraws {}  a draft again; AWS no longer sees it", traveller.id),
            );
        }
        Ok(())
    }

    /// A reviewer lists the queue, claims, starts, decides.
    async fn review(&mut self, travellers: &[Traveller<'_>]) -> anyhow::Result<()> {
        let reviewer = self.person(REVIEWER)?;
        let expected: Vec<_> = travellers
            .iter()
            .filter(|traveller| traveller.record.verdict.is_some())
            .collect();
        let until = Instant::now() + PATIENCE;
        let queue = loop {
            let queue = queue(&reviewer).await?;
            if expected
                .iter()
                .all(|traveller| queue.iter().any(|case| case.opportunity_id == traveller.id))
            {
                break queue;
            }
            ensure!(
                Instant::now() < until,
                "the queue shows {} of {} submissions",
                queue.len(),
                expected.len()
            );
            tokio::time::sleep(PAUSE).await;
        };
        self.say(REVIEWER, format!("lists the queue: {} cases wait", queue.len()));
        for traveller in expected {
            let case = queue
                .iter()
                .find(|case| case.opportunity_id == traveller.id)
                .context("a case")?;
            self.decide(&reviewer, case, traveller, false).await?;
        }
        Ok(())
    }

    pub(super) async fn decide(
        &mut self,
        reviewer: &Person,
        case: &review::ReviewCase,
        traveller: &Traveller<'_>,
        corrected: bool,
    ) -> anyhow::Result<()> {
        let id = case.review_case_id.clone();
        let verdict = traveller.record.verdict.as_ref().context("a verdict")?;
        claim(reviewer, &id).await?;
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
            .context("the record of the round")?;
        ensure!(
            submitted.revision == traveller.revision,
            "{} is not what was submitted",
            traveller.id
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
        let mut what = format!("decides   {}  round {round}, {id}: {decision}", traveller.id);
        if !remarks.is_empty() {
            what.push_str(&format!("\n“{remarks}”"));
        }
        self.say(REVIEWER, what);
        Ok(())
    }

    /// Every partner sees the decision in the record; those that end the journey here also in the inbox and by e-mail.
    async fn see_decisions(&mut self, travellers: &mut [Traveller<'_>]) -> anyhow::Result<()> {
        for traveller in travellers {
            let Some(verdict) = &traveller.record.verdict else {
                continue;
            };
            let wanted = match verdict.decision()? {
                review::ReviewDecision::Approve => ReviewStatus::Approved,
                review::ReviewDecision::ActionRequired => ReviewStatus::ActionRequired,
                _ => ReviewStatus::Rejected,
            };
            let person = self.person(&traveller.record.member)?;
            let seen = until_status(&person, &traveller.id, wanted).await?;
            traveller.revision = seen.revision;
            let name = wanted.as_str_name().trim_start_matches("REVIEW_STATUS_");
            self.say(&person.id, format!("sees      {}  {name}", traveller.id));
            let kind = match wanted {
                ReviewStatus::Approved => NotificationKind::OpportunityApproved,
                ReviewStatus::Rejected => NotificationKind::OpportunityRejected,
                _ => continue,
            };
            self.told(&person, traveller, kind, &verdict.remarks).await?;
        }
        Ok(())
    }

    /// The other partner sees none of it, and does not even learn that it exists.
    async fn keep_out(&mut self, travellers: &[Traveller<'_>]) -> anyhow::Result<()> {
        let outsider = self.person(OUTSIDER)?;
        let of_alder: Vec<_> = travellers
            .iter()
            .filter(|traveller| traveller.record.member.starts_with("alder"))
            .collect();
        let list = all(&outsider).await?;
        for traveller in &of_alder {
            ensure!(
                list.iter().all(|seen| seen.opportunity_id != traveller.id),
                "{OUTSIDER} sees {}",
                traveller.id
            );
            let request = opportunity::GetOpportunityRequest {
                opportunity_id: traveller.id.clone(),
                as_of: None,
            };
            let status = outsider.opportunities().get_opportunity(request).await.err();
            let status = status.with_context(|| format!("{OUTSIDER} reads {}", traveller.id))?;
            ensure!(
                reason(&status) == "OPPORTUNITY_NOT_FOUND",
                "{OUTSIDER} learns something: {status}"
            );
        }
        let ids: Vec<_> = of_alder.iter().map(|traveller| traveller.id.as_str()).collect();
        self.not_told(&outsider, &ids).await?;
        let what = format!(
            "sees none of the {} opportunities of the other partner and is told of none: NOT_FOUND",
            of_alder.len()
        );
        self.say(OUTSIDER, what);
        Ok(())
    }

    async fn count(&mut self, travellers: &[Traveller<'_>]) -> anyhow::Result<()> {
        let mut counts = BTreeMap::new();
        for traveller in travellers {
            let person = self.person(&traveller.record.member)?;
            let status = get(&person, &traveller.id)
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
        self.say("in the end", counts.join(", "));
        Ok(())
    }
}
