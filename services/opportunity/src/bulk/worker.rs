//! Works jobs off, some rows after the other. Any number of replicas may do so at once: the job's row is locked by who has
//! it, what was done and what is known of it become durable together, and what a replica had in hand when it died is there
//! to be done as if nothing had been (OPP-083).

use std::time::Duration;

use chrono::{DateTime, Utc};
use cosell_events::{Cause, append};
use cosell_grpc::Failure;
use cosell_store::{Database, Scope, Tx};
use cosell_types::{AccountId, Caller, Clock};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::{import_rows, transfer_rows};
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
/// How often old jobs are looked for, and how many are forgotten in one go.
const FORGETTING: chrono::TimeDelta = chrono::TimeDelta::hours(1);
const FORGOTTEN: i64 = 100;

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
        match serve(api, &account, &id, CHUNK).await {
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
        let failure = match serve(api, account, id, 1).await {
            Ok(true) => {
                has_worked = true;
                continue;
            }
            Ok(false) => return has_worked,
            Err(failure) => failure,
        };
        // What passes is tried again later.
        if failure.code() != Code::Internal {
            return has_worked;
        }
        match give_up(api, account, id).await {
            Ok(()) => has_worked = true,
            Err(failure) => {
                tracing::error!(%failure, job.id = id, "a row can neither be worked off nor be refused");
                return has_worked;
            }
        }
    }
    has_worked
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
    let Some(member) = member else {
        let now = api.clock.now();
        job.end(BulkState::Failed, now);
        return conclude(tx, &job, &[], now).await;
    };
    let outcomes = match job.kind {
        BulkKind::Import => import_rows::work_off(&mut tx, api, (&job, &member), &rows).await?,
        BulkKind::Transfer => transfer_rows::work_off(&mut tx, api, (&job, &member), &rows).await?,
    };
    let now = api.clock.now();
    job.count(&outcomes, now);
    conclude(tx, &job, &outcomes, now).await
}

/// Refuses the row that comes next.
async fn give_up(api: &Api, account: &AccountId, id: &str) -> Result<(), Failure> {
    let mut tx = api.db.tx(&Scope::account(account)).await?;
    let Some(mut job) = jobs::lock_job(&mut tx, account, id).await? else {
        return Ok(());
    };
    let rows = jobs::waiting_rows(&mut tx, &job, 1).await?;
    let text = "an internal error occurred";
    let outcomes: Vec<_> = rows
        .iter()
        .map(|row| Outcome::impossible(row.number, None, "INTERNAL", text))
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
    Ok(append(tx, &events::bulk_finished(job, cause(job, now))).await?)
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
    let mut tx = database.work.tx(&Scope::work()).await?;
    jobs::forget_jobs(&mut tx, now, FORGOTTEN).await?;
    tx.commit().await
}
