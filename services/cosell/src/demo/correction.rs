//! What the partner does about an opportunity that was sent back.

use anyhow::{Context as _, ensure};
use cosell_proto::cosell::notification::v1::NotificationKind;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::r#type::v1::ReviewStatus;

use super::Verdict;
use super::calls::{submit, until_round, until_status, update};
use super::journey::{Journey, REVIEWER, Traveller};
use super::people::{Person, reason};

impl Journey<'_> {
    /// What was sent back is found by its status, read, corrected, submitted again, and approved.
    pub(super) async fn correct(&mut self, travellers: &mut [Traveller<'_>]) -> anyhow::Result<()> {
        let reviewer = self.person(REVIEWER)?;
        for traveller in travellers {
            let Some(verdict) = &traveller.record.verdict else {
                continue;
            };
            if verdict.decision()? != review::ReviewDecision::ActionRequired {
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
            self.told(&person, traveller, NotificationKind::ActionRequired, &comments)
                .await?;
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
        traveller.revision = submit(person, &traveller.id, involvement).await?.revision;
        self.say(&person.id, format!("submits   {}  again", traveller.id));
        Ok(())
    }
}
