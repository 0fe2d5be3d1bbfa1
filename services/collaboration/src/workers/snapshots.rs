//! Creates snapshots of shared opportunities that have changed.

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::{Failure, Peer};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::resource_snapshot::Payload;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_service::ScheduledWork;
use cosell_store::{Database, Error, Scope, Tx};
use cosell_telemetry::metrics::{Trigger, count_transition};
use cosell_types::{AccountId, Clock};
use prost::Message as _;
use tokio_util::sync::CancellationToken;

use crate::convert;
use crate::domain::values::{SnapshotJobState, SnapshotTemplate};
use crate::domain::{Participant, Snapshot, SnapshotJob, SnapshotSubject};
use crate::events::{CONTEXT, PLATFORM, SNAPSHOT_CREATED};
use crate::peers::find_opportunity;
use crate::store::{self, DueJob, NewestSnapshot};

pub struct SnapshotWorker {
    pub database: Database,
    pub clock: Clock,
    pub opportunity: Peer,
}

impl ScheduledWork for SnapshotWorker {
    type Row = DueJob;

    async fn find_due(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
        last: Option<&DueJob>,
        limit: i64,
    ) -> Result<Vec<DueJob>, Error> {
        store::list_due_jobs(tx, now, last, limit).await
    }

    fn id<'a>(&self, due: &'a DueJob) -> &'a str {
        due.id.as_str()
    }

    async fn process(&self, due: &DueJob, _: &CancellationToken) -> Result<(), Failure> {
        let scope = Scope::account(&due.account);
        let mut tx = self.database.events.tx(&scope).await?;
        let Some(job) = store::load_job(&mut tx, &due.account, &due.id).await? else {
            return Ok(());
        };
        drop(tx);
        let read = self.read_payload(job.subject()).await;
        let mut tx = self.database.events.tx(&scope).await?;
        let now = self.clock.now();
        let Some(mut locked) = store::lock_job(&mut tx, &due.account, &due.id).await? else {
            return Ok(());
        };
        if locked.state() != SnapshotJobState::Running {
            return Ok(());
        }
        let is_new = match read {
            Ok(payload) => {
                let is_new = match payload {
                    Some(payload) => self.save_if_changed(&mut tx, &job, payload).await?,
                    None => false,
                };
                locked.run_succeeded(job.requested_runs(), now);
                is_new
            }
            Err(reason) => {
                locked.run_failed(reason, now);
                tracing::warn!(job.id = %due.id, reason, "snapshot job failed");
                false
            }
        };
        tx.switch_scope(&scope).await?;
        store::save_job(&mut tx, &locked).await?;
        tx.commit().await?;
        if is_new {
            count_transition(CONTEXT, SNAPSHOT_CREATED, Trigger::Background);
        }
        Ok(())
    }
}

impl SnapshotWorker {
    /// Saves a new snapshot, unless it equals the newest one (COL-041).
    async fn save_if_changed(
        &self,
        tx: &mut Tx,
        job: &SnapshotJob,
        payload: SnapshotPayload,
    ) -> Result<bool, Failure> {
        let subject = job.subject();
        let SnapshotPayload {
            source_revision,
            payload,
            is_limited,
        } = payload;
        let payload = pb::ResourceSnapshot {
            payload: Some(payload),
            ..Default::default()
        };
        let payload = payload.encode_to_vec();
        let newest = store::load_newest_snapshot(tx, subject).await?;
        // Another replica may have copied a later revision in the meantime.
        let is_current =
            |newest: &NewestSnapshot| newest.payload == payload || newest.source_revision > source_revision;
        if newest.as_ref().is_some_and(is_current) {
            return Ok(false);
        }
        let Some(readers) = self.load_readers(tx, subject).await? else {
            return Ok(false);
        };
        let snapshot = Snapshot {
            subject: subject.clone(),
            revision: newest.map_or(1, |newest| newest.revision + 1),
            create_time: self.clock.now(),
            source_revision,
        };
        let cause = Cause {
            actor: PLATFORM,
            request_id: job.id().as_str(),
            time: snapshot.create_time,
        };
        tx.switch_scope(&Scope::account(&subject.account)).await?;
        store::add_snapshot(tx, &snapshot, (&payload, is_limited), &readers, cause).await?;
        Ok(true)
    }

    /// The accounts that can read the snapshot: all members of the engagement, or for the AWS summary the owner alone.
    /// `None` if the owner is not a member with this opportunity any more, so that no further snapshots are created
    /// (COL-042).
    async fn load_readers(
        &self,
        tx: &mut Tx,
        subject: &SnapshotSubject,
    ) -> Result<Option<Vec<AccountId>>, Failure> {
        let engagement = store::lock_engagement_of_member(tx, &subject.account, &subject.engagement).await?;
        let is_owner = |member: &Participant| {
            member.account == subject.account && member.opportunity == Some(subject.opportunity)
        };
        let Some(engagement) = engagement.filter(|engagement| engagement.members().any(is_owner)) else {
            return Ok(None);
        };
        let members = engagement.members().map(|member| member.account.clone());
        Ok(Some(match subject.template {
            SnapshotTemplate::OpportunitySummary => members.collect(),
            SnapshotTemplate::AwsOpportunitySummary => vec![subject.account.clone()],
        }))
    }

    /// The current payload, read from the opportunity service; `None` if there is none to share. The error is the
    /// reason of the failed call.
    async fn read_payload(&self, subject: &SnapshotSubject) -> Result<Option<SnapshotPayload>, &'static str> {
        let id = subject.opportunity.to_string();
        let response = find_opportunity(&self.opportunity, (&subject.account, None), &id).await;
        // A shared copy may not exist yet; its creation publishes an event that makes the job due again.
        let Some(response) = response.map_err(|failure| failure.reason())? else {
            return Ok(None);
        };
        let is_limited = response.opportunity.as_ref().is_none_or(convert::is_limited);
        let snapshot_payload = |source_revision, payload| SnapshotPayload {
            source_revision,
            payload,
            is_limited,
        };
        Ok(match subject.template {
            SnapshotTemplate::OpportunitySummary => {
                // An opportunity that became a national-security opportunity is not shared any more (COL-001).
                let is_shared = |record: &opportunity::Opportunity| {
                    convert::is_submitted(record) && !record.national_security()
                };
                response.opportunity.filter(is_shared).map(|record| {
                    snapshot_payload(
                        record.revision,
                        Payload::Opportunity(convert::opportunity_summary(record)),
                    )
                })
            }
            SnapshotTemplate::AwsOpportunitySummary => {
                let summary = response
                    .aws_opportunity_summary
                    .filter(|summary| summary.revision > 0);
                summary.map(|summary| {
                    snapshot_payload(summary.revision, Payload::AwsOpportunitySummary(summary))
                })
            }
        })
    }
}

/// The payload of a snapshot as read from the opportunity service. `is_limited` hides it from AWS sales roles
/// (COL-050).
struct SnapshotPayload {
    source_revision: i64,
    payload: Payload,
    is_limited: bool,
}
