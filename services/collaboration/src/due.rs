//! Sees to what is due: ends invitations that nobody answered, and makes snapshots of opportunities that have changed.
//! Any number of replicas may do so at once, and after a stop of any length: the row says what is due, and the first to
//! change it has done it.

use std::time::Duration;

use cosell_events::Cause;
use cosell_grpc::{Failure, MAX_RESPONSE, Peer};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::resource_snapshot::Payload;
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::opportunity_service_client::OpportunityServiceClient;
use cosell_store::{Database, Scope, Tx};
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

const BATCH: i64 = 100;
const EVERY: Duration = Duration::from_secs(1);

/// What the worker needs.
#[derive(Clone)]
pub struct Worker {
    /// Where everything is.
    pub database: Database,
    /// The time.
    pub clock: Clock,
    /// Where opportunities are.
    pub opportunity: Peer,
}

impl Worker {
    /// Runs until told to stop. Invitations end whether opportunities can be read or not.
    pub async fn run(self, stop: CancellationToken) {
        let ending = async {
            while !stop.is_cancelled() {
                if let Err(failure) = self.end_invitations(&stop).await {
                    tracing::warn!(%failure, "invitations could not be ended; tried again in a moment");
                }
                pause(&stop).await;
            }
        };
        let looking = async {
            while !stop.is_cancelled() {
                if let Err(failure) = self.make_snapshots(&stop).await {
                    tracing::warn!(%failure, "snapshots could not be made; tried again in a moment");
                }
                pause(&stop).await;
            }
        };
        tokio::join!(ending, looking);
    }

    /// Ends all that are due, a batch after the other; one that fails is passed over, and its turn comes again.
    async fn end_invitations(&self, stop: &CancellationToken) -> Result<(), Failure> {
        let (now, mut last) = (self.clock.now(), None);
        while !stop.is_cancelled() {
            let mut tx = self.database.work.tx(&Scope::work()).await?;
            let found = store::due_invitations(&mut tx, now, last.as_ref(), BATCH).await?;
            drop(tx);
            for due in &found {
                if let Err(failure) = self.end(due).await {
                    passed_over(&failure, due.id.as_str());
                }
            }
            last = found.into_iter().next_back();
            if last.is_none() {
                break;
            }
        }
        Ok(())
    }

    async fn end(&self, due: &DueInvitation) -> Result<(), Failure> {
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

    /// Lets all jobs look that are to, a batch after the other.
    async fn make_snapshots(&self, stop: &CancellationToken) -> Result<(), Failure> {
        // What fails is due again a little later: its turn comes in the next pass, and others have theirs before.
        let (now, mut last) = (self.clock.now(), None);
        while !stop.is_cancelled() {
            let mut tx = self.database.work.tx(&Scope::work()).await?;
            let found = store::due_jobs(&mut tx, now, last.as_ref(), BATCH).await?;
            drop(tx);
            for due in &found {
                if let Err(failure) = self.look(due).await {
                    passed_over(&failure, due.id.as_str());
                }
            }
            last = found.into_iter().next_back();
            if last.is_none() {
                break;
            }
        }
        Ok(())
    }

    async fn look(&self, due: &DueJob) -> Result<(), Failure> {
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
        let answer = OpportunityServiceClient::new(self.opportunity.channel())
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
                    convert::is_submitted(record) && !record.national_security
                };
                let record = answer.opportunity.filter(is_shown);
                record.map(|record| found(record.revision, Payload::Opportunity(convert::summary(record))))
            }
            SnapshotTemplate::AwsOpportunitySummary => {
                let summary = answer.aws_summary.filter(|summary| summary.revision > 0);
                summary.map(|summary| found(summary.revision, Payload::AwsSummary(summary)))
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

async fn pause(stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(EVERY) => {}
        () = stop.cancelled() => {}
    }
}

fn passed_over(failure: &Failure, id: &str) {
    if failure.code() == Code::Aborted {
        tracing::debug!(id, "somebody else was faster");
    } else {
        tracing::warn!(%failure, id, "something due could not be seen to; tried again in a moment");
    }
}
