//! Sees to what is due: ends invitations that nobody answered, and makes snapshots of opportunities that have changed.

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::{Failure, MAX_RESPONSE, Peer};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::resource_snapshot::Payload;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::opportunity_internal_service_client::OpportunityInternalServiceClient;
use cosell_service::Work;
use cosell_store::{Database, Error, Scope, Tx};
use cosell_types::{AccountId, Clock};
use prost::Message as _;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::api::{convert, note};
use crate::domain::values::SnapshotJobState;
use crate::domain::values::SnapshotTemplate;
use crate::domain::{Participant, Snapshot, SnapshotJob, Subject};
use crate::events::PLATFORM;
use crate::store::{self, DueInvitation, DueJob, NewestSnapshot};

/// Ends invitations.
pub struct Invitations {
    /// Where they are.
    pub database: Database,
    /// The time.
    pub clock: Clock,
}

impl Work for Invitations {
    type Due = DueInvitation;

    async fn find(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
        last: Option<&DueInvitation>,
        most: i64,
    ) -> Result<Vec<DueInvitation>, Error> {
        store::due_invitations(tx, now, last, most).await
    }

    fn id<'a>(&self, due: &'a DueInvitation) -> &'a str {
        due.id.as_str()
    }

    async fn see_to(&self, due: &DueInvitation, _: &CancellationToken) -> Result<(), Failure> {
        let scope = Scope::account(&due.receiver);
        let mut tx = self.database.events.tx(&scope).await?;
        let Some(found) = store::load_own_invitation(&mut tx, &due.receiver, &due.id).await? else {
            return Ok(());
        };
        let engagement = store::lock_engagement(&mut tx, found.sender(), found.engagement()).await?;
        tx.act_for(&scope).await?;
        let invitation = store::load_own_invitation(&mut tx, &due.receiver, &due.id).await?;
        let (Some(mut engagement), Some(mut invitation)) = (engagement, invitation) else {
            return Err(Failure::internal("an invitation to an engagement that is gone"));
        };
        let now = self.clock.now();
        // Somebody else was faster, unless it is still due.
        let Some(event) = invitation.expire(now) else {
            return Ok(());
        };
        let cause = Cause {
            actor: PLATFORM,
            request_id: due.id.as_str(),
            time: now,
        };
        store::save_invitation(&mut tx, &invitation, event, cause).await?;
        let happened: Vec<_> = engagement
            .invitation_ended(&invitation, None, now)
            .into_iter()
            .collect();
        store::save_engagement(&mut tx, &engagement, &happened, cause).await?;
        tx.commit().await?;
        note(event.name());
        Ok(())
    }
}

/// Makes snapshots.
pub struct Snapshots {
    /// Where they are.
    pub database: Database,
    /// The time.
    pub clock: Clock,
    /// Where opportunities are.
    pub opportunity: Peer,
}

impl Work for Snapshots {
    type Due = DueJob;

    async fn find(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
        last: Option<&DueJob>,
        most: i64,
    ) -> Result<Vec<DueJob>, Error> {
        store::due_jobs(tx, now, last, most).await
    }

    fn id<'a>(&self, due: &'a DueJob) -> &'a str {
        due.id.as_str()
    }

    async fn see_to(&self, due: &DueJob, _: &CancellationToken) -> Result<(), Failure> {
        let scope = Scope::account(&due.account);
        let mut tx = self.database.events.tx(&scope).await?;
        let Some(job) = store::load_job(&mut tx, &due.account, &due.id).await? else {
            return Ok(());
        };
        drop(tx);
        let read = self.read(job.subject()).await;
        let mut tx = self.database.events.tx(&scope).await?;
        let now = self.clock.now();
        let Some(mut locked) = store::lock_job(&mut tx, &due.account, &due.id).await? else {
            return Ok(());
        };
        if locked.state() != SnapshotJobState::Running {
            return Ok(());
        }
        let is_new = match read {
            Ok(found) => {
                let is_new = match found {
                    Some(found) => self.keep(&mut tx, &job, found).await?,
                    None => false,
                };
                locked.looked(job.asked(), now);
                is_new
            }
            Err(code) => {
                locked.failed(code, now);
                tracing::warn!(job.id = %due.id, code, "a snapshot could not be made; tried again later");
                false
            }
        };
        tx.act_for(&scope).await?;
        store::save_job(&mut tx, &locked).await?;
        tx.commit().await?;
        if is_new {
            note(crate::events::SNAPSHOT_CREATED);
        }
        Ok(())
    }
}

impl Snapshots {
    /// Keeps what was found as a new snapshot, unless the last one says the same (COL-041).
    async fn keep(&self, tx: &mut Tx, job: &SnapshotJob, found: Found) -> Result<bool, Failure> {
        let of = job.subject();
        let Found {
            source_revision,
            payload,
            is_limited,
        } = found;
        let payload = pb::ResourceSnapshot {
            payload: Some(payload),
            ..Default::default()
        };
        let payload = payload.encode_to_vec();
        let last = store::newest_snapshot(tx, of).await?;
        // Another process may have read a later revision meanwhile.
        let is_known =
            |last: &NewestSnapshot| last.payload == payload || last.source_revision > source_revision;
        if last.as_ref().is_some_and(is_known) {
            return Ok(false);
        }
        let Some(readers) = self.readers(tx, of).await? else {
            return Ok(false);
        };
        let snapshot = Snapshot {
            subject: of.clone(),
            revision: last.map_or(1, |last| last.revision + 1),
            create_time: self.clock.now(),
            source_revision,
        };
        let cause = Cause {
            actor: PLATFORM,
            request_id: job.id().as_str(),
            time: snapshot.create_time,
        };
        tx.act_for(&Scope::account(&of.account)).await?;
        store::add_snapshot(tx, &snapshot, (&payload, is_limited), &readers, cause).await?;
        Ok(true)
    }

    /// Who may read it: all companies of the engagement, or of what AWS says the one alone. None when the company whose
    /// opportunity it is is not part of the engagement any more, or is so with another one: it shares nothing new of this
    /// one (COL-042).
    async fn readers(&self, tx: &mut Tx, of: &Subject) -> Result<Option<Vec<AccountId>>, Failure> {
        let engagement = store::engagement_with(tx, &of.account, &of.engagement).await?;
        let shares_it =
            |one: &&Participant| one.account == of.account && one.opportunity == Some(of.opportunity);
        let Some(engagement) = engagement.filter(|one| one.members().any(|member| shares_it(&member))) else {
            return Ok(None);
        };
        let members = engagement.members().map(|one| one.account.clone());
        Ok(Some(match of.template {
            SnapshotTemplate::OpportunitySummary => members.collect(),
            SnapshotTemplate::AwsOpportunitySummary => vec![of.account.clone()],
        }))
    }

    /// What the opportunity says now, with its revision; none while there is nothing to show. An error is why it cannot
    /// be read.
    async fn read(&self, of: &Subject) -> Result<Option<Found>, &'static str> {
        let question = opportunity::GetOpportunityForAccountRequest {
            account_id: of.account.to_string(),
            opportunity_id: of.opportunity.to_string(),
            ..Default::default()
        };
        let request = self
            .opportunity
            .request(question)
            .map_err(|failure| failure.reason())?;
        let answer = OpportunityInternalServiceClient::new(self.opportunity.channel())
            .max_decoding_message_size(MAX_RESPONSE)
            .get_opportunity_for_account(request)
            .await;
        let answer = match answer {
            Ok(answer) => answer.into_inner(),
            // It is there in a moment, and then an event says so.
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            Err(status) => {
                let is_away = matches!(
                    status.code(),
                    Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled
                );
                return Err(if is_away {
                    "DEPENDENCY_UNAVAILABLE"
                } else {
                    "INTERNAL"
                });
            }
        };
        let is_limited = answer.opportunity.as_ref().is_none_or(convert::is_limited);
        let found = |source_revision, payload| Found {
            source_revision,
            payload,
            is_limited,
        };
        Ok(match of.template {
            SnapshotTemplate::OpportunitySummary => {
                // What has become classified since it was shared is not shared any more (COL-001).
                let is_shown = |record: &opportunity::Opportunity| {
                    convert::is_submitted(record) && !record.national_security()
                };
                let record = answer.opportunity.filter(is_shown);
                record.map(|record| found(record.revision, Payload::Opportunity(convert::summary(record))))
            }
            SnapshotTemplate::AwsOpportunitySummary => {
                let summary = answer
                    .aws_opportunity_summary
                    .filter(|summary| summary.revision > 0);
                summary.map(|summary| found(summary.revision, Payload::AwsOpportunitySummary(summary)))
            }
        })
    }
}

/// What an opportunity says.
struct Found {
    source_revision: i64,
    payload: Payload,
    is_limited: bool,
}
