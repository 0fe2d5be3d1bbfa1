use chrono::{DateTime, Utc};
use cosell_store::{Error, Tx, require_written};
use cosell_types::{AccountId, ClosedList};
use sqlx::types::Json;

use crate::domain::job::{Job, Plan};

struct BulkJobColumns {
    bulk_job_id: String,
    kind: String,
    state: String,
    member_id: String,
    request_id: String,
    plan: Json<Plan>,
    total: i64,
    processed: i64,
    failed: i64,
    create_time: DateTime<Utc>,
    end_time: Option<DateTime<Utc>>,
}

impl BulkJobColumns {
    fn into_job(self, account: &AccountId) -> Result<Job, Error> {
        fn parse<T: ClosedList>(column: &str, name: &str) -> Result<T, Error> {
            T::from_name(name).ok_or_else(|| Error::corrupt(column, name))
        }
        Ok(Job {
            kind: parse("kind", &self.kind)?,
            state: parse("state", &self.state)?,
            member: self
                .member_id
                .parse()
                .map_err(|_| Error::corrupt("member_id", &self.member_id))?,
            id: self.bulk_job_id,
            account: account.clone(),
            request_id: self.request_id,
            plan: self.plan.0,
            total: self.total,
            processed: self.processed,
            failed: self.failed,
            create_time: self.create_time,
            end_time: self.end_time,
        })
    }
}

/// Inserts a job without its rows.
pub async fn insert_job(tx: &mut Tx, job: &Job) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO bulk_job (account_id, bulk_job_id, kind, state, member_id, request_id, plan, total, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        job.account.as_str(),
        job.id,
        job.kind.name(),
        job.state.name(),
        job.member.as_str(),
        job.request_id,
        Json(&job.plan) as _,
        job.total,
        job.create_time,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Saves the state and progress of a job. `served_time` is when its last chunk of rows was processed; `None` retains
/// the stored time.
pub async fn update_job(tx: &mut Tx, job: &Job, served_time: Option<DateTime<Utc>>) -> Result<(), Error> {
    let updated = sqlx::query!(
        "UPDATE bulk_job SET state = $3, plan = $4, total = $5, processed = $6, failed = $7, end_time = $8,
           served_time = coalesce($9, served_time)
         WHERE account_id = $1 AND bulk_job_id = $2",
        job.account.as_str(),
        job.id,
        job.state.name(),
        Json(&job.plan) as _,
        job.total,
        job.processed,
        job.failed,
        job.end_time,
        served_time,
    )
    .execute(tx.conn())
    .await?;
    require_written(updated.rows_affected())
}

pub async fn load_job(tx: &mut Tx, account: &AccountId, id: &str) -> Result<Option<Job>, Error> {
    let columns = sqlx::query_as!(
        BulkJobColumns,
        r#"SELECT bulk_job_id, kind, state, member_id, request_id, plan AS "plan: Json<Plan>", total, processed, failed,
             create_time, end_time
           FROM bulk_job WHERE account_id = $1 AND bulk_job_id = $2"#,
        account.as_str(),
        id,
    )
    .fetch_optional(tx.conn())
    .await?;
    columns.map(|columns| columns.into_job(account)).transpose()
}

/// Locks a running job. `None` when the job is not running, or another transaction holds the lock.
pub async fn try_lock_running_job(tx: &mut Tx, account: &AccountId, id: &str) -> Result<Option<Job>, Error> {
    let columns = sqlx::query_as!(
        BulkJobColumns,
        r#"SELECT bulk_job_id, kind, state, member_id, request_id, plan AS "plan: Json<Plan>", total, processed, failed,
             create_time, end_time
           FROM bulk_job WHERE account_id = $1 AND bulk_job_id = $2 AND state = 'RUNNING' FOR UPDATE SKIP LOCKED"#,
        account.as_str(),
        id,
    )
    .fetch_optional(tx.conn())
    .await?;
    columns.map(|columns| columns.into_job(account)).transpose()
}

/// Locks a job in any state. Waits until another transaction that holds the lock ends.
pub async fn lock_job(tx: &mut Tx, account: &AccountId, id: &str) -> Result<Option<Job>, Error> {
    let columns = sqlx::query_as!(
        BulkJobColumns,
        r#"SELECT bulk_job_id, kind, state, member_id, request_id, plan AS "plan: Json<Plan>", total, processed, failed,
             create_time, end_time
           FROM bulk_job WHERE account_id = $1 AND bulk_job_id = $2 FOR UPDATE"#,
        account.as_str(),
        id,
    )
    .fetch_optional(tx.conn())
    .await?;
    columns.map(|columns| columns.into_job(account)).transpose()
}

/// Lists the jobs of an account, or those that one member of it created, newest first. `cursor` is the creation time
/// and the id of the last job of the page before.
pub async fn list_jobs(
    tx: &mut Tx,
    account: &AccountId,
    member: Option<&str>,
    cursor: Option<&(DateTime<Utc>, String)>,
    limit: i64,
) -> Result<Vec<Job>, Error> {
    let (time, id) = cursor.cloned().unzip();
    let columns = sqlx::query_as!(
        BulkJobColumns,
        r#"SELECT bulk_job_id, kind, state, member_id, request_id, plan AS "plan: Json<Plan>", total, processed, failed,
             create_time, end_time
           FROM bulk_job WHERE account_id = $1 AND ($2::text IS NULL OR member_id = $2)
             AND ($3::timestamptz IS NULL OR (create_time, bulk_job_id) < ($3, $4::text))
           ORDER BY create_time DESC, bulk_job_id DESC LIMIT $5"#,
        account.as_str(),
        member,
        time,
        id,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    columns
        .into_iter()
        .map(|columns| columns.into_job(account))
        .collect()
}

/// Deletes a job with its rows.
pub async fn delete_job(tx: &mut Tx, job: &Job) -> Result<(), Error> {
    let deleted = sqlx::query!(
        "DELETE FROM bulk_job WHERE account_id = $1 AND bulk_job_id = $2",
        job.account.as_str(),
        job.id,
    )
    .execute(tx.conn())
    .await?;
    require_written(deleted.rows_affected())
}

/// Returns the oldest running job of each account, for up to `limit` accounts, least recently served first.
pub async fn list_running_jobs(tx: &mut Tx, limit: i64) -> Result<Vec<(AccountId, String)>, Error> {
    let rows = sqlx::query!(
        r#"SELECT account_id, bulk_job_id FROM (
             SELECT DISTINCT ON (j.account_id) j.account_id, j.bulk_job_id,
               max(j.served_time) OVER (PARTITION BY j.account_id) AS served
             FROM bulk_job j WHERE j.state = 'RUNNING' ORDER BY j.account_id, j.create_time) AS first
           ORDER BY served NULLS FIRST LIMIT $1"#,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            let account = row
                .account_id
                .parse()
                .map_err(|_| Error::corrupt("account_id", &row.account_id))?;
            Ok((account, row.bulk_job_id))
        })
        .collect()
}

/// Deletes finished jobs and row keys that are older than 30 days, up to a limit of each. Returns how many were
/// deleted.
pub async fn delete_expired_jobs(
    tx: &mut Tx,
    now: DateTime<Utc>,
    job_limit: i64,
    key_limit: i64,
) -> Result<u64, Error> {
    let before = now - chrono::TimeDelta::days(30);
    let deleted_jobs = sqlx::query!(
        "DELETE FROM bulk_job WHERE (account_id, bulk_job_id) IN
           (SELECT account_id, bulk_job_id FROM bulk_job WHERE end_time < $1 LIMIT $2)",
        before,
        job_limit,
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    let deleted_keys = sqlx::query!(
        "DELETE FROM bulk_key WHERE (account_id, row_hash) IN
           (SELECT account_id, row_hash FROM bulk_key WHERE time < $1 LIMIT $2)",
        before,
        key_limit,
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    Ok(deleted_jobs + deleted_keys)
}
