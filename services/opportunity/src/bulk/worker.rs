//! Works jobs off, some rows after the other. Any number of replicas may do so at once: the job's row is locked by who has
//! it, what was done and what is known of it become durable together, and what a replica had in hand when it died is there
//! to be done as if nothing had been (OPP-083).

use std::time::Duration;

use chrono::{DateTime, Utc};
use cosell_events::{Cause, append};
use cosell_grpc::Failure;
use cosell_store::{Database, Scope, Tx};
use cosell_types::{AccountId, Caller, Clock, Role};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::{import_rows, transfer_rows, update_rows};
use crate::api::{Api, permit};
use crate::domain::access::Action;
use crate::domain::job::{Job, Outcome};
use crate::domain::values::{BulkKind, BulkState, ImportMode};
use crate::events;
use crate::store::jobs;

/// Rows that are worked off together.
const CHUNK: i64 = 50;
/// Accounts that are looked at in one go.
const ACCOUNTS: i64 = 20;
/// How long is waited for something to do, and after a failure.
const PAUSE: Duration = Duration::from_millis(500);
/// How often old jobs are looked for, how many jobs and how many keys of rows are forgotten in one go, and how often in a
/// row.
const FORGETTING: chrono::TimeDelta = chrono::TimeDelta::hours(1);
const JOBS: i64 = 5;
const KEYS: i64 = 5000;
const TIMES: u32 = 1000;

/// Runs until told to stop.
pub async fn run(api: Api, database: Database, clock: Clock, stop: CancellationToken) {
    let api = Api {
        db: database.events.clone(),
        ..api
    };
    let mut forgot: Option<DateTime<Utc>> = None;
    while !stop.is_cancelled() {
        let now = clock.now();
        if forgot.is_none_or(|time| now - time > FORGETTING) {
            forgot = Some(now);
            if let Err(failure) = forget(&database, now).await {
                tracing::warn!(%failure, "old jobs could not be forgotten");
            }
        }
        let has_worked = turn(&api, &database).await.unwrap_or_else(|failure| {
            tracing::warn!(%failure, "jobs could not be looked for; tried again in a moment");
            false
        });
        if !has_worked {
            tokio::select! {
                () = api.job.notified() => {}
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

/// Works some rows off of the job of each account, the one first that was served longest ago.
async fn turn(api: &Api, database: &Database) -> Result<bool, Failure> {
    let mut tx = database.work.tx(&Scope::work()).await?;
    let found = jobs::running(&mut tx, ACCOUNTS).await?;
    drop(tx);
    let mut has_worked = false;
    for (account, id) in found {
        match guarded(api, &account, &id, CHUNK).await {
            Ok(worked) => has_worked |= worked,
            Err(failure) => {
                tracing::warn!(%failure, job.id = id, "rows could not be worked off");
                has_worked |= one_by_one(api, &account, &id).await;
            }
        }
    }
    Ok(has_worked)
}

/// What a chunk failed of is found by trying its rows alone; one that nothing can be done with is refused, so that it
/// does not hold up what is behind it.
async fn one_by_one(api: &Api, account: &AccountId, id: &str) -> bool {
    let mut has_worked = false;
    for _ in 0..CHUNK {
        let failure = match guarded(api, account, id, 1).await {
            Ok(true) => {
                has_worked = true;
                continue;
            }
            Ok(false) => return has_worked,
            Err(failure) => failure,
        };
        // What passes is tried again later.
        let (code, text) = match failure.code() {
            Code::Internal => ("INTERNAL", "an internal error occurred"),
            // A constraint that only the database can keep.
            Code::AlreadyExists => (failure.reason(), failure.message()),
            _ => return has_worked,
        };
        match give_up(api, account, id, (code, text)).await {
            Ok(()) => has_worked = true,
            Err(failure) => {
                tracing::error!(%failure, job.id = id, "a row can neither be worked off nor be refused");
                return has_worked;
            }
        }
    }
    has_worked
}

/// A row that makes the program panic must not end the work for all others.
async fn guarded(api: &Api, account: &AccountId, id: &str, most: i64) -> Result<bool, Failure> {
    let (api, account, id) = (api.clone(), account.clone(), id.to_owned());
    let served = tokio::spawn(async move { serve(&api, &account, &id, most).await });
    served.await.unwrap_or_else(|panic| Err(Failure::internal(panic)))
}

/// Whether there was something to do, and nobody else was at it.
async fn serve(api: &Api, account: &AccountId, id: &str, most: i64) -> Result<bool, Failure> {
    let mut tx = api.db.tx(&Scope::account(account)).await?;
    let Some(mut job) = jobs::lock_job(&mut tx, account, id).await? else {
        return Ok(false);
    };
    let rows = jobs::waiting_rows(&mut tx, &job, most).await?;
    let member = cosell_members::active_member(&mut tx, account, &job.member).await?;
    let action = match job.plan.mode {
        Some(ImportMode::Create) => Action::Create,
        Some(ImportMode::CreateAndSubmit) => Action::Submit,
        Some(ImportMode::Update) | None => Action::Update,
    };
    let member = member.filter(|member| permit(action)(&Caller::Member(member.clone())));
    let is_owner = match &job.plan.assignee {
        None => true,
        Some(assignee) => {
            let assignee = cosell_members::active_member(&mut tx, account, assignee).await?;
            assignee.is_some_and(|assignee| assignee.has_any(&Role::OWNERS))
        }
    };
    let Some(member) = member.filter(|_| is_owner) else {
        let now = api.clock.now();
        job.end(BulkState::Failed, now);
        return conclude(tx, &job, &[], now).await;
    };
    let outcomes = match job.kind {
        BulkKind::Import if job.plan.mode == Some(ImportMode::Update) => {
            update_rows::work_off(&mut tx, api, (&job, &member), &rows).await?
        }
        BulkKind::Import => import_rows::work_off(&mut tx, api, (&job, &member), &rows).await?,
        BulkKind::Transfer => transfer_rows::work_off(&mut tx, api, (&mut job, &member), &rows).await?,
    };
    let now = api.clock.now();
    job.count(&outcomes, now);
    conclude(tx, &job, &outcomes, now).await
}

/// Refuses the row that comes next.
async fn give_up(
    api: &Api,
    account: &AccountId,
    id: &str,
    (code, text): (&str, &str),
) -> Result<(), Failure> {
    let mut tx = api.db.tx(&Scope::account(account)).await?;
    let Some(mut job) = jobs::lock_job(&mut tx, account, id).await? else {
        return Ok(());
    };
    let rows = jobs::waiting_rows(&mut tx, &job, 1).await?;
    let outcomes: Vec<_> = rows
        .iter()
        .map(|row| Outcome::impossible(row.number, None, code, text))
        .collect();
    let now = api.clock.now();
    job.count(&outcomes, now);
    conclude(tx, &job, &outcomes, now).await.map(drop)
}

async fn conclude(mut tx: Tx, job: &Job, outcomes: &[Outcome], now: DateTime<Utc>) -> Result<bool, Failure> {
    jobs::note_outcomes(&mut tx, job, outcomes).await?;
    jobs::update_job(&mut tx, job, Some(now)).await?;
    if job.state != BulkState::Running {
        tell(&mut tx, job, now).await?;
        tracing::info!(
            job.id = job.id,
            rows = job.total,
            failed = job.failed,
            "a job has ended"
        );
    }
    tx.commit().await?;
    Ok(true)
}

/// Tells of the end of a job.
pub async fn tell(tx: &mut Tx, job: &Job, now: DateTime<Utc>) -> Result<(), Failure> {
    Ok(append(tx, &events::bulk_job_finished(job, cause(job, now))).await?)
}

/// Whose doing the effects of a job are.
pub fn cause(job: &Job, time: DateTime<Utc>) -> Cause<'_> {
    Cause {
        actor: job.member.as_str(),
        request_id: &job.request_id,
        time,
    }
}

async fn forget(database: &Database, now: DateTime<Utc>) -> Result<(), Failure> {
    for _ in 0..TIMES {
        let mut tx = database.work.tx(&Scope::work()).await?;
        let forgotten = jobs::forget_jobs(&mut tx, now, JOBS, KEYS).await?;
        tx.commit().await?;
        if forgotten == 0 {
            break;
        }
    }
    Ok(())
}
