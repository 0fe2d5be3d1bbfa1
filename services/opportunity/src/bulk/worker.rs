//! Processes the rows of bulk jobs in chunks. Safe to run in several replicas: a job is locked while a chunk is
//! processed, the effects of a chunk commit together with the results of its rows, and a chunk that a crash interrupts
//! is rolled back and processed again (OPP-083).

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use cosell_grpc::Failure;
use cosell_store::{Database, Scope, Tx};
use cosell_types::{AccountId, Caller, Clock, Role};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::job_events::append_job_finished;
use super::{create_rows, transfer_rows, update_rows};
use crate::domain::Policy;
use crate::domain::access::{Action, permits};
use crate::domain::job::{Job, JobFailure, RowOutcome};
use crate::domain::values::{BulkKind, BulkState, ImportMode};
use crate::store::bulk_rows::BulkRow;
use crate::store::{bulk_jobs, bulk_rows};

/// Rows of one transaction.
const CHUNK_SIZE: i64 = 50;
/// Bytes of the rows of one transaction; the last one may exceed them.
const CHUNK_BYTES: usize = 512 * 1024;
/// Accounts served in one iteration of the loop.
const MAX_ACCOUNTS: i64 = 20;
/// Pause when no job is running, and after a failure.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How often jobs past their retention are deleted.
const PRUNE_INTERVAL: TimeDelta = TimeDelta::hours(1);
/// Jobs and row keys deleted in one transaction, and the most transactions in a row.
const PRUNED_JOBS: i64 = 5;
const PRUNED_KEYS: i64 = 5000;
const PRUNE_BATCHES: u32 = 1000;

#[derive(Clone)]
pub struct BulkWorker {
    pub database: Database,
    pub clock: Clock,
    pub policy: Arc<Policy>,
    /// Notified when a job is created.
    pub job_created: Arc<Notify>,
}

impl BulkWorker {
    /// Runs until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let mut pruned: Option<DateTime<Utc>> = None;
        while !stop.is_cancelled() {
            let now = self.clock.now();
            if pruned.is_none_or(|time| now - time > PRUNE_INTERVAL) {
                pruned = Some(now);
                if let Err(failure) = self.prune(now).await {
                    tracing::warn!(%failure, "expired bulk jobs were not deleted");
                }
            }
            let has_progressed = self.serve_accounts().await.unwrap_or_else(|failure| {
                tracing::warn!(%failure, "running bulk jobs were not read; retrying");
                false
            });
            if !has_progressed {
                tokio::select! {
                    () = self.job_created.notified() => {}
                    () = tokio::time::sleep(POLL_INTERVAL) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
    }

    /// Processes a chunk of the job of each account, least recently served first.
    async fn serve_accounts(&self) -> Result<bool, Failure> {
        let mut tx = self.database.work.tx(&Scope::work()).await?;
        let running = bulk_jobs::list_running_jobs(&mut tx, MAX_ACCOUNTS).await?;
        drop(tx);
        let mut has_progressed = false;
        for (account, id) in running {
            match self.process_isolated(&account, &id, CHUNK_SIZE).await {
                Ok(progressed) => has_progressed |= progressed,
                Err(failure) => {
                    tracing::warn!(%failure, job.id = id, "chunk of rows failed");
                    has_progressed |= self.process_one_by_one(&account, &id).await;
                }
            }
        }
        Ok(has_progressed)
    }

    /// Processes the rows of a failed chunk one at a time, to find the one that fails. A row that always fails is
    /// refused, so that it does not block the rows behind it.
    async fn process_one_by_one(&self, account: &AccountId, id: &str) -> bool {
        let mut has_progressed = false;
        for _ in 0..CHUNK_SIZE {
            let failure = match self.process_isolated(account, id, 1).await {
                Ok(true) => {
                    has_progressed = true;
                    continue;
                }
                Ok(false) => return has_progressed,
                Err(failure) => failure,
            };
            // Transient failures are retried later.
            let (code, text) = match failure.code() {
                Code::Internal => ("INTERNAL", "An internal error occurred."),
                // A constraint that only the database enforces.
                Code::AlreadyExists => (failure.reason(), failure.message()),
                _ => return has_progressed,
            };
            match self.refuse_next(account, id, (code, text)).await {
                Ok(()) => has_progressed = true,
                Err(failure) => {
                    tracing::error!(%failure, job.id = id, "row was neither processed nor refused");
                    return has_progressed;
                }
            }
        }
        has_progressed
    }

    /// Processes rows on a task of their own: a panic ends that task, not the worker.
    async fn process_isolated(&self, account: &AccountId, id: &str, limit: i64) -> Result<bool, Failure> {
        let (worker, account, id) = (self.clone(), account.clone(), id.to_owned());
        let task = tokio::spawn(async move { worker.process(&account, &id, limit).await });
        task.await.unwrap_or_else(|panic| Err(Failure::internal(panic)))
    }

    /// Processes up to `limit` rows. Returns false when another replica holds the job, or it is no longer running.
    async fn process(&self, account: &AccountId, id: &str, limit: i64) -> Result<bool, Failure> {
        let mut tx = self.database.events.tx(&Scope::account(account)).await?;
        let Some(mut job) = bulk_jobs::try_lock_running_job(&mut tx, account, id).await? else {
            return Ok(false);
        };
        let mut rows = bulk_rows::list_pending_rows(&mut tx, &job, limit).await?;
        limit_bytes(&mut rows);
        let rows = Arc::new(rows);
        let now = self.clock.now();
        let member = cosell_members::active_member(&mut tx, account, &job.member).await?;
        let action = match job.plan.mode {
            Some(ImportMode::Create) => Action::Create,
            Some(ImportMode::CreateAndSubmit) => Action::Submit,
            Some(ImportMode::Update) | None => Action::Update,
        };
        let Some(member) = member.filter(|member| permits(&Caller::Member(member.clone()), action)) else {
            job.fail(JobFailure::MemberNotPermitted, now);
            return finish_chunk(tx, &job, &[], now).await;
        };
        if let Some(assignee) = &job.plan.assignee {
            let assignee = cosell_members::active_member(&mut tx, account, assignee).await?;
            if !assignee.is_some_and(|assignee| assignee.has_any_role(&Role::OWNERS)) {
                job.fail(JobFailure::AssigneeNotEligible, now);
                return finish_chunk(tx, &job, &[], now).await;
            }
        }
        let policy = &self.policy;
        let outcomes = match job.kind {
            BulkKind::Import if job.plan.mode == Some(ImportMode::Update) => {
                update_rows::process(&mut tx, (policy, now), (&job, &member), &rows).await?
            }
            BulkKind::Import => create_rows::process(&mut tx, (policy, now), (&job, &member), &rows).await?,
            BulkKind::Transfer => transfer_rows::process(&mut tx, now, (&mut job, &member), &rows).await?,
        };
        let now = self.clock.now();
        job.record_outcomes(&outcomes, now);
        finish_chunk(tx, &job, &outcomes, now).await
    }

    /// Refuses the next row of a job.
    async fn refuse_next(
        &self,
        account: &AccountId,
        id: &str,
        (code, text): (&str, &str),
    ) -> Result<(), Failure> {
        let mut tx = self.database.events.tx(&Scope::account(account)).await?;
        let Some(mut job) = bulk_jobs::try_lock_running_job(&mut tx, account, id).await? else {
            return Ok(());
        };
        let rows = bulk_rows::list_pending_rows(&mut tx, &job, 1).await?;
        let outcomes: Vec<_> = rows
            .iter()
            .map(|row| RowOutcome::refused_with_reason(row.number, None, code, text))
            .collect();
        let now = self.clock.now();
        job.record_outcomes(&outcomes, now);
        finish_chunk(tx, &job, &outcomes, now).await.map(drop)
    }

    async fn prune(&self, now: DateTime<Utc>) -> Result<(), Failure> {
        for _ in 0..PRUNE_BATCHES {
            let mut tx = self.database.work.tx(&Scope::work()).await?;
            let deleted = bulk_jobs::delete_expired_jobs(&mut tx, now, PRUNED_JOBS, PRUNED_KEYS).await?;
            tx.commit().await?;
            if deleted == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// Leaves long rows for further chunks, so that the work of one transaction is bounded.
fn limit_bytes(rows: &mut Vec<BulkRow>) {
    let mut bytes = 0;
    let within = rows.iter().take_while(|row| {
        let has_room = bytes < CHUNK_BYTES;
        bytes += row.size();
        has_room
    });
    let count = within.count();
    rows.truncate(count);
}

/// Saves the results of a chunk with the progress of the job, and commits.
async fn finish_chunk(
    mut tx: Tx,
    job: &Job,
    outcomes: &[RowOutcome],
    now: DateTime<Utc>,
) -> Result<bool, Failure> {
    bulk_rows::save_outcomes(&mut tx, job, outcomes).await?;
    bulk_jobs::update_job(&mut tx, job, Some(now)).await?;
    if job.state != BulkState::Running {
        append_job_finished(&mut tx, job, now).await?;
        tracing::info!(
            job.id = job.id,
            rows = job.total,
            failed = job.failed,
            "bulk job finished"
        );
    }
    tx.commit().await?;
    Ok(true)
}
