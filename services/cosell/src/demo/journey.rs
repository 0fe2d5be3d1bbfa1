//! The journey, step by step.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use cosell_proto::cosell::notification::v1 as notification;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use cosell_types::{Clock, random};
use prost_types::FieldMask;
use tokio::time::Instant;
use tonic::Code;
use tonic::transport::Endpoint;

use super::input::{Input, Record};
use super::mail;
use super::people::{Person, reason, violations};
use super::timeline::Line;
use crate::stack::StackInfo;

/// How long anything may take to come about.
const PATIENCE: Duration = Duration::from_secs(30);
const REVIEWER: &str = "aws-reviewer";
const OUTSIDER: &str = "birch-alliance-lead";

/// An opportunity on its way.
struct Traveller<'a> {
    record: &'a Record,
    id: String,
    /// The revision that the partner last saw.
    revision: i64,
}

struct Journey<'a> {
    people: BTreeMap<String, Person>,
    mail: &'a Path,
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
    let mut travellers = journey.register(input).await?;
    journey.submit(&mut travellers).await?;
    journey.withdraw(&mut travellers).await?;
    journey.review(&travellers).await?;
    journey.see_decisions(&mut travellers).await?;
    journey.correct(&mut travellers).await?;
    journey.keep_out(&travellers).await?;
    journey.count(&travellers).await
}

impl Journey<'_> {
    fn person(&self, id: &str) -> anyhow::Result<Person> {
        self.people
            .get(id)
            .cloned()
            .with_context(|| format!("{id} is not seeded"))
    }

    fn say(&mut self, who: &str, what: impl Into<String>) {
        (self.tell)(&Line::new(who, what));
    }

    /// Partners register their opportunities. Some make mistakes, are told all of them at once, and correct them.
    async fn register<'a>(&mut self, input: &'a Input) -> anyhow::Result<Vec<Traveller<'a>>> {
        let today = Clock::system().now().date_naive();
        let mut travellers = Vec::new();
        for record in &input.records {
            let person = self.person(&record.member)?;
            let mut given = record.first(today)?;
            if !record.mistakes.is_empty() {
                self.refused(&person, record, given).await?;
                given = record.corrected(today)?;
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
            let request = opportunity::SubmitOpportunityRequest {
                opportunity_id: traveller.id.clone(),
                involvement_type: involvement.into(),
                request_id: request_id(),
                ..Default::default()
            };
            let answer = person
                .opportunities()
                .submit_opportunity(request)
                .await?
                .into_inner();
            traveller.revision = answer.opportunity.context("an opportunity")?.revision;
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
                .opportunities()
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
            tokio::time::sleep(Duration::from_millis(50)).await;
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

    async fn decide(
        &mut self,
        reviewer: &Person,
        case: &review::ReviewCase,
        traveller: &Traveller<'_>,
        corrected: bool,
    ) -> anyhow::Result<()> {
        let id = case.review_case_id.clone();
        let verdict = traveller.record.verdict.as_ref().context("a verdict")?;
        let claim = review::ClaimReviewCaseRequest {
            review_case_id: id.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        reviewer.reviews().claim_review_case(claim).await?;
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
        let snapshot = whole
            .rounds
            .last()
            .and_then(|round| round.snapshot.clone())
            .context("a snapshot")?;
        ensure!(
            snapshot.revision == traveller.revision,
            "{} is not what was submitted",
            traveller.id
        );
        let decision = if corrected {
            review::Decision::Approve
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
            request.remarks.clone_from(&verdict.remarks);
        }
        let remarks = request.remarks.clone();
        reviewer.reviews().decide_review(request).await?;
        let decision = decision.as_str_name().trim_start_matches("DECISION_");
        let round = whole.round;
        let mut what = format!("decides   {}  round {round}, {id}: {decision}", traveller.id);
        if !remarks.is_empty() {
            what.push_str(&format!("\n“{remarks}”"));
        }
        self.say(REVIEWER, what);
        Ok(())
    }

    /// Every partner sees the decision, in the record, in the inbox, and by e-mail.
    async fn see_decisions(&mut self, travellers: &mut [Traveller<'_>]) -> anyhow::Result<()> {
        for traveller in travellers {
            let Some(verdict) = &traveller.record.verdict else {
                continue;
            };
            let wanted = match verdict.decision()? {
                review::Decision::Approve => ReviewStatus::Approved,
                review::Decision::ActionRequired => ReviewStatus::ActionRequired,
                _ => ReviewStatus::Rejected,
            };
            let person = self.person(&traveller.record.member)?;
            let seen = until_status(&person, &traveller.id, wanted).await?;
            traveller.revision = seen.revision;
            let name = wanted.as_str_name().trim_start_matches("REVIEW_STATUS_");
            self.say(&person.id, format!("sees      {}  {name}", traveller.id));
        }
        Ok(())
    }

    /// What was sent back is found by its status, read, corrected, submitted again, and approved.
    async fn correct(&mut self, travellers: &mut [Traveller<'_>]) -> anyhow::Result<()> {
        let reviewer = self.person(REVIEWER)?;
        for traveller in travellers {
            let Some(verdict) = &traveller.record.verdict else {
                continue;
            };
            if verdict.decision()? != review::Decision::ActionRequired {
                continue;
            }
            let person = self.person(&traveller.record.member)?;
            let filter = opportunity::OpportunityFilter {
                review_statuses: vec![ReviewStatus::ActionRequired.into()],
                ..Default::default()
            };
            let list = opportunity::ListOpportunitiesRequest {
                filter: Some(filter),
                ..Default::default()
            };
            let list = person
                .opportunities()
                .list_opportunities(list)
                .await?
                .into_inner()
                .opportunities;
            let found = list.iter().find(|found| found.opportunity_id == traveller.id);
            let found =
                found.with_context(|| format!("{} is not listed as ACTION_REQUIRED", traveller.id))?;
            let comments = found.life_cycle.clone().unwrap_or_default().review_comments;
            ensure!(
                comments == verdict.remarks,
                "the remarks on {} are {comments:?}",
                traveller.id
            );
            self.say(
                &person.id,
                format!(
                    "filters by ACTION_REQUIRED, opens {}, reads:\n“{comments}”",
                    traveller.id
                ),
            );
            self.see_notice(&person, &traveller.id).await?;
            self.see_mail(&traveller.id, &comments).await?;
            self.save_and_submit(&person, traveller, verdict).await?;

            let case = until_round(&reviewer, &traveller.id, 2).await?;
            self.decide(&reviewer, &case, traveller, true).await?;
            let seen = until_status(&person, &traveller.id, ReviewStatus::Approved).await?;
            traveller.revision = seen.revision;
            self.say(&person.id, format!("sees      {}  APPROVED", traveller.id));
        }
        Ok(())
    }

    async fn save_and_submit(
        &mut self,
        person: &Person,
        traveller: &mut Traveller<'_>,
        verdict: &super::Verdict,
    ) -> anyhow::Result<()> {
        let locked = opportunity::Opportunity {
            project: Some(opportunity::Project {
                title: "Another title".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let refused = update(person, &traveller.id, locked, Some("project.title")).await;
        let status = refused.err().context("a locked field was changed")?;
        ensure!(
            reason(&status) == "FIELD_NOT_EDITABLE",
            "a locked field was refused otherwise: {status}"
        );
        self.say(
            &person.id,
            format!("tries the title of {}: {}", traveller.id, status.message()),
        );

        let saved = update(person, &traveller.id, verdict.fix()?, None).await?;
        self.say(
            &person.id,
            format!(
                "corrects  {}  and saves, revision {}",
                traveller.id, saved.revision
            ),
        );
        let involvement = traveller.record.involvement()?.context("an involvement")?;
        let request = opportunity::SubmitOpportunityRequest {
            opportunity_id: traveller.id.clone(),
            involvement_type: involvement.into(),
            etag: saved.etag,
            request_id: request_id(),
            ..Default::default()
        };
        let answer = person
            .opportunities()
            .submit_opportunity(request)
            .await?
            .into_inner();
        traveller.revision = answer.opportunity.context("an opportunity")?.revision;
        self.say(&person.id, format!("submits   {}  again", traveller.id));
        Ok(())
    }

    async fn see_notice(&mut self, person: &Person, id: &str) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let request = notification::ListNotificationsRequest {
                unread_only: true,
                ..Default::default()
            };
            let list = person
                .notifications()
                .list_notifications(request)
                .await?
                .into_inner()
                .notifications;
            let kind = notification::NotificationKind::ActionRequired;
            if let Some(notice) = list
                .iter()
                .find(|notice| notice.opportunity_id == id && notice.kind() == kind)
            {
                let ids = vec![notice.notification_id.clone()];
                let request = notification::MarkReadRequest {
                    notification_ids: ids,
                    request_id: request_id(),
                };
                let left = person
                    .notifications()
                    .mark_read(request)
                    .await?
                    .into_inner()
                    .unread_count;
                let what = format!("inbox: “{}”, marked read, {left} more unread", notice.subject);
                self.say(&person.id, what);
                return Ok(());
            }
            ensure!(
                Instant::now() < until,
                "{} was not told of {id} in the inbox",
                person.id
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn see_mail(&mut self, id: &str, comments: &str) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let mails = mail::read_all(self.mail)?;
            let about: Vec<_> = mails
                .iter()
                .filter(|mail| mail.subject.contains(id) && mail.subject.contains("needs your action"))
                .collect();
            if let Some(first) = about.first() {
                ensure!(
                    first.body.contains(comments),
                    "the e-mail lacks the remarks: {first:?}"
                );
                let to: Vec<_> = about.iter().map(|mail| mail.to.as_str()).collect();
                self.say("mail server", format!("“{}” to {}", first.subject, to.join(", ")));
                return Ok(());
            }
            ensure!(Instant::now() < until, "no e-mail about {id} was sent");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
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
                revision: None,
            };
            let status = outsider.opportunities().get_opportunity(request).await.err();
            let status = status.with_context(|| format!("{OUTSIDER} reads {}", traveller.id))?;
            ensure!(
                reason(&status) == "OPPORTUNITY_NOT_FOUND",
                "{OUTSIDER} learns something: {status}"
            );
        }
        let what = format!(
            "sees none of the {} opportunities of the other partner: NOT_FOUND",
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

async fn create(
    person: &Person,
    given: opportunity::Opportunity,
) -> anyhow::Result<opportunity::Opportunity> {
    let title = given.project.clone().unwrap_or_default().title;
    let made = create_raw(person, given)
        .await
        .with_context(|| format!("{title:?} was refused"))?;
    Ok(made)
}

async fn create_raw(
    person: &Person,
    given: opportunity::Opportunity,
) -> Result<opportunity::Opportunity, tonic::Status> {
    let request = opportunity::CreateOpportunityRequest {
        opportunity: Some(given),
        request_id: request_id(),
        validate_only: false,
    };
    let answer = person
        .opportunities()
        .create_opportunity(request)
        .await?
        .into_inner();
    answer
        .opportunity
        .ok_or_else(|| tonic::Status::unknown("an answer without opportunity"))
}

async fn update(
    person: &Person,
    id: &str,
    given: opportunity::Opportunity,
    path: Option<&str>,
) -> Result<opportunity::Opportunity, tonic::Status> {
    let request = opportunity::UpdateOpportunityRequest {
        opportunity_id: id.to_owned(),
        opportunity: Some(given),
        update_mask: path.map(|path| FieldMask {
            paths: vec![path.to_owned()],
        }),
        request_id: request_id(),
        ..Default::default()
    };
    let answer = person
        .opportunities()
        .update_opportunity(request)
        .await?
        .into_inner();
    answer
        .opportunity
        .ok_or_else(|| tonic::Status::unknown("an answer without opportunity"))
}

async fn get(person: &Person, id: &str) -> anyhow::Result<opportunity::Opportunity> {
    let request = opportunity::GetOpportunityRequest {
        opportunity_id: id.to_owned(),
        revision: None,
    };
    let answer = person
        .opportunities()
        .get_opportunity(request)
        .await?
        .into_inner();
    answer.opportunity.context("an opportunity")
}

/// Everything that the person can list, page by page.
async fn all(person: &Person) -> anyhow::Result<Vec<opportunity::Opportunity>> {
    let mut found = Vec::new();
    let mut request = opportunity::ListOpportunitiesRequest {
        page_size: 10,
        ..Default::default()
    };
    loop {
        let page = person
            .opportunities()
            .list_opportunities(request.clone())
            .await?
            .into_inner();
        found.extend(page.opportunities);
        if page.next_page_token.is_empty() {
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}

/// The whole queue, page by page.
async fn queue(reviewer: &Person) -> anyhow::Result<Vec<review::ReviewCase>> {
    let filter = review::ReviewCaseFilter {
        states: vec![review::review_case::State::Submitted.into()],
        ..Default::default()
    };
    let mut request = review::ListReviewCasesRequest {
        page_size: 10,
        filter: Some(filter),
        ..Default::default()
    };
    let mut found = Vec::new();
    loop {
        let page = reviewer
            .reviews()
            .list_review_cases(request.clone())
            .await?
            .into_inner();
        found.extend(page.review_cases);
        if page.next_page_token.is_empty() {
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}

async fn until_status(
    person: &Person,
    id: &str,
    wanted: ReviewStatus,
) -> anyhow::Result<opportunity::Opportunity> {
    let until = Instant::now() + PATIENCE;
    loop {
        let seen = get(person, id).await?;
        let status = seen.life_cycle.clone().unwrap_or_default().review_status();
        if status == wanted {
            return Ok(seen);
        }
        ensure!(Instant::now() < until, "{id} is {status:?}, not {wanted:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn until_round(reviewer: &Person, id: &str, round: i32) -> anyhow::Result<review::ReviewCase> {
    let until = Instant::now() + PATIENCE;
    loop {
        let case = queue(reviewer)
            .await?
            .into_iter()
            .find(|case| case.opportunity_id == id && case.round == round);
        if let Some(case) = case {
            return Ok(case);
        }
        ensure!(
            Instant::now() < until,
            "round {round} of {id} is not in the queue"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn headline(record: &opportunity::Opportunity) -> String {
    let account = record
        .customer
        .clone()
        .unwrap_or_default()
        .account
        .unwrap_or_default();
    let country = account.address.clone().unwrap_or_default().country_code;
    let project = record.project.clone().unwrap_or_default();
    let stage = record.life_cycle.clone().unwrap_or_default().stage();
    let stage = stage.as_str_name().trim_start_matches("STAGE_");
    format!(
        "{} — {} ({country}, {}, {stage})",
        account.company_name, project.title, account.industry
    )
}

fn request_id() -> String {
    random::uuid(Clock::system().now()).to_string()
}
