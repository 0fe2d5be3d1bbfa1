//! What the partner does about an opportunity that was sent back.

use anyhow::{Context as _, ensure};
use cosell_proto::cosell::notification::v1 as notification;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::ReviewStatus;
use tokio::time::Instant;

use super::calls::{PATIENCE, PAUSE, request_id, until_round, until_status, update};
use super::journey::{Journey, REVIEWER, Traveller};
use super::people::{Person, reason};
use super::{Verdict, mail};

impl Journey<'_> {
    /// What was sent back is found by its status, read, corrected, submitted again, and approved.
    pub(super) async fn correct(&mut self, travellers: &mut [Traveller<'_>]) -> anyhow::Result<()> {
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
        verdict: &Verdict,
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
                    ..Default::default()
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
            tokio::time::sleep(PAUSE).await;
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
            tokio::time::sleep(PAUSE).await;
        }
    }
}
