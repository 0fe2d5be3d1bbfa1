use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use cosell_store::{Error, Tx, written};
use cosell_types::{AccountId, ClosedList, OpportunityId};
use serde_json::Value;
use sqlx::types::Json;

use crate::domain::job::{Job, Outcome, Plan, RowResult, RowViolation};

/// A row of a job. What it holds is somebody's, and is printed nowhere.
#[derive(Clone)]
pub struct Row {
    pub number: i64,
    pub content: Value,
    pub result: Option<String>,
    pub opportunity: Option<OpportunityId>,
    pub violations: Vec<RowViolation>,
}

/// The columns of a job.
struct Found {
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

impl Found {
    fn job(self, account: &AccountId) -> Result<Job, Error> {
        fn list<T: ClosedList>(column: &str, name: &str) -> Result<T, Error> {
            T::from_name(name).ok_or_else(|| Error::corrupt(column, name))
        }
        Ok(Job {
            kind: list("kind", &self.kind)?,
            state: list("state", &self.state)?,
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

/// Begins a job, before its rows.
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

/// Adds rows, from a number on.
pub async fn insert_rows(tx: &mut Tx, job: &Job, first: i64, contents: &[Value]) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO bulk_row (account_id, bulk_job_id, number, content)
         SELECT $1, $2, $3 + given.n - 1, given.content FROM unnest($4::jsonb[]) WITH ORDINALITY AS given (content, n)",
        job.account.as_str(),
        job.id,
        first,
        contents,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes down how far a job is, and what it turned out to be.
pub async fn update_job(tx: &mut Tx, job: &Job, served: Option<DateTime<Utc>>) -> Result<(), Error> {
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
        served,
    )
    .execute(tx.conn())
    .await?;
    written(updated.rows_affected())
}

/// A job of an account.
pub async fn load_job(tx: &mut Tx, account: &AccountId, id: &str) -> Result<Option<Job>, Error> {
    let found = sqlx::query_as!(
        Found,
        r#"SELECT bulk_job_id, kind, state, member_id, request_id, plan AS "plan: Json<Plan>", total, processed, failed,
             create_time, end_time
           FROM bulk_job WHERE account_id = $1 AND bulk_job_id = $2"#,
        account.as_str(),
        id,
    )
    .fetch_optional(tx.conn())
    .await?;
    found.map(|found| found.job(account)).transpose()
}

/// A job that runs, for a worker or whoever ends it; none while another one has it.
pub async fn lock_job(tx: &mut Tx, account: &AccountId, id: &str) -> Result<Option<Job>, Error> {
    let found = sqlx::query_as!(
        Found,
        r#"SELECT bulk_job_id, kind, state, member_id, request_id, plan AS "plan: Json<Plan>", total, processed, failed,
             create_time, end_time
           FROM bulk_job WHERE account_id = $1 AND bulk_job_id = $2 AND state = 'RUNNING' FOR UPDATE SKIP LOCKED"#,
        account.as_str(),
        id,
    )
    .fetch_optional(tx.conn())
    .await?;
    found.map(|found| found.job(account)).transpose()
}

/// A job, once whoever works on it has come to an end.
pub async fn await_job(tx: &mut Tx, account: &AccountId, id: &str) -> Result<Option<Job>, Error> {
    let found = sqlx::query_as!(
        Found,
        r#"SELECT bulk_job_id, kind, state, member_id, request_id, plan AS "plan: Json<Plan>", total, processed, failed,
             create_time, end_time
           FROM bulk_job WHERE account_id = $1 AND bulk_job_id = $2 FOR UPDATE"#,
        account.as_str(),
        id,
    )
    .fetch_optional(tx.conn())
    .await?;
    found.map(|found| found.job(account)).transpose()
}

/// Jobs of an account, or of one member of it, newest first.
pub async fn list_jobs(
    tx: &mut Tx,
    account: &AccountId,
    member: Option<&str>,
    last: Option<&(DateTime<Utc>, String)>,
    limit: i64,
) -> Result<Vec<Job>, Error> {
    let (time, id) = last.cloned().unzip();
    let found = sqlx::query_as!(
        Found,
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
    found.into_iter().map(|found| found.job(account)).collect()
}

/// Removes a job with its rows.
pub async fn delete_job(tx: &mut Tx, job: &Job) -> Result<(), Error> {
    let deleted = sqlx::query!(
        "DELETE FROM bulk_job WHERE account_id = $1 AND bulk_job_id = $2",
        job.account.as_str(),
        job.id,
    )
    .execute(tx.conn())
    .await?;
    written(deleted.rows_affected())
}

/// Rows that wait, in their order.
pub async fn waiting_rows(tx: &mut Tx, job: &Job, limit: i64) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query!(
        "SELECT number, content FROM bulk_row
         WHERE account_id = $1 AND bulk_job_id = $2 AND result IS NULL ORDER BY number LIMIT $3",
        job.account.as_str(),
        job.id,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows.into_iter().map(|row| Row {
        number: row.number,
        content: row.content,
        result: None,
        opportunity: None,
        violations: Vec::new(),
    });
    Ok(rows.collect())
}

/// Rows after a number, all or only those that were refused.
pub async fn rows(
    tx: &mut Tx,
    job: &Job,
    after: i64,
    failed_only: bool,
    limit: i64,
) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query!(
        r#"SELECT number, content, result, opportunity_id, violations AS "violations: Json<Vec<RowViolation>>"
           FROM bulk_row
           WHERE account_id = $1 AND bulk_job_id = $2 AND number > $3 AND (NOT $4 OR result = 'FAILED')
           ORDER BY number LIMIT $5"#,
        job.account.as_str(),
        job.id,
        after,
        failed_only,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows.into_iter().map(|row| Row {
        number: row.number,
        content: row.content,
        result: row.result,
        opportunity: row.opportunity_id.and_then(OpportunityId::from_number),
        violations: row.violations.map(|found| found.0).unwrap_or_default(),
    });
    Ok(rows.collect())
}

/// Writes down what became of rows.
pub async fn note_outcomes(tx: &mut Tx, job: &Job, outcomes: &[Outcome]) -> Result<(), Error> {
    let violations: Vec<_> = outcomes
        .iter()
        .map(|outcome| serde_json::to_value(&outcome.violations).unwrap_or_default())
        .collect();
    let ids: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.opportunity.map(|id| id.number()))
        .collect();
    let results: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.result.name().to_owned())
        .collect();
    let (keys, hashes): (Vec<_>, Vec<_>) = outcomes
        .iter()
        .map(|outcome| outcome.rehearsed.clone())
        .map(|rehearsed| rehearsed.map_or((None, None), |rehearsed| (Some(rehearsed.key), rehearsed.hash)))
        .unzip();
    sqlx::query!(
        "UPDATE bulk_row AS row SET result = given.result, opportunity_id = given.id, key = given.key,
           row_hash = given.row_hash, violations = given.violations
         FROM unnest($3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::bytea[], $8::jsonb[])
           AS given (number, result, id, key, row_hash, violations)
         WHERE row.account_id = $1 AND row.bulk_job_id = $2 AND row.number = given.number",
        job.account.as_str(),
        job.id,
        &outcomes.iter().map(|outcome| outcome.number).collect::<Vec<_>>(),
        &results,
        &ids as _,
        &keys as _,
        &hashes as _,
        &violations,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How many rows became what.
pub async fn count_results(tx: &mut Tx, job: &Job) -> Result<BTreeMap<&'static str, i64>, Error> {
    let rows = sqlx::query!(
        r#"SELECT result AS "result!", count(*) AS "count!" FROM bulk_row
           WHERE account_id = $1 AND bulk_job_id = $2 AND result IS NOT NULL GROUP BY result"#,
        job.account.as_str(),
        job.id,
    )
    .fetch_all(tx.conn())
    .await?;
    let counts = rows.into_iter().filter_map(|row| {
        let result = RowResult::ALL
            .into_iter()
            .find(|result| result.name() == row.result)?;
        Some((result.name(), row.count))
    });
    Ok(counts.collect())
}

/// Rows that said the same and were taken in, with what they became as far as it is still there; or that a dry run has
/// come by.
pub async fn taken_in(
    tx: &mut Tx,
    job: &Job,
    hashes: &[Vec<u8>],
) -> Result<BTreeMap<Vec<u8>, Option<OpportunityId>>, Error> {
    let rows = sqlx::query!(
        r#"SELECT row_hash AS "row_hash!", opportunity_id FROM bulk_row
           WHERE account_id = $1 AND bulk_job_id = $2 AND row_hash = ANY($3)
           UNION ALL SELECT k.row_hash, k.opportunity_id FROM bulk_key k
             JOIN opportunity o ON o.account_id = k.account_id AND o.opportunity_id = k.opportunity_id
             WHERE k.account_id = $1 AND k.row_hash = ANY($3)"#,
        job.account.as_str(),
        job.id,
        hashes,
    )
    .fetch_all(tx.conn())
    .await?;
    let known = rows.into_iter().map(|row| {
        (
            row.row_hash,
            row.opportunity_id.and_then(OpportunityId::from_number),
        )
    });
    Ok(known.collect())
}

/// Remembers what rows became.
pub async fn note_taken_in(
    tx: &mut Tx,
    account: &AccountId,
    made: &[(Vec<u8>, OpportunityId)],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (hashes, ids): (Vec<_>, Vec<_>) = made.iter().map(|(hash, id)| (hash.clone(), id.number())).unzip();
    sqlx::query!(
        "INSERT INTO bulk_key (account_id, row_hash, opportunity_id, time)
         SELECT $1, given.*, $4 FROM unnest($2::bytea[], $3::bigint[]) AS given
         ON CONFLICT (account_id, row_hash) DO UPDATE SET opportunity_id = excluded.opportunity_id, time = excluded.time",
        account.as_str(),
        &hashes,
        &ids,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Those of these keys of the partner's own that are taken, with the records that have them; none where only a dry run
/// would make one. What a dry run would change counts as changed.
pub async fn taken_identifiers(
    tx: &mut Tx,
    job: &Job,
    named: &[String],
) -> Result<BTreeMap<String, Option<OpportunityId>>, Error> {
    let taken = sqlx::query!(
        r#"SELECT partner_opportunity_identifier AS "key!", opportunity_id AS "opportunity_id?" FROM opportunity o
           WHERE account_id = $1 AND partner_opportunity_identifier = ANY($3) AND partner_opportunity_identifier <> ''
             AND NOT EXISTS (SELECT FROM bulk_row r WHERE r.account_id = $1 AND r.bulk_job_id = $2
               AND r.opportunity_id = o.opportunity_id AND r.key IS NOT NULL)
           UNION ALL SELECT key, opportunity_id FROM bulk_row r
           WHERE account_id = $1 AND bulk_job_id = $2 AND key = ANY($3) AND key <> ''
             AND NOT EXISTS (SELECT FROM bulk_row l WHERE l.account_id = $1 AND l.bulk_job_id = $2
               AND l.opportunity_id = r.opportunity_id AND l.key IS NOT NULL AND l.number > r.number)"#,
        job.account.as_str(),
        job.id,
        named,
    )
    .fetch_all(tx.conn())
    .await?;
    let taken = taken
        .into_iter()
        .map(|row| (row.key, row.opportunity_id.and_then(OpportunityId::from_number)));
    Ok(taken.collect())
}

/// The first job that runs of each account, the account whose turn was longest ago first.
pub async fn running(tx: &mut Tx, most: i64) -> Result<Vec<(AccountId, String)>, Error> {
    let rows = sqlx::query!(
        r#"SELECT account_id, bulk_job_id FROM (
             SELECT DISTINCT ON (j.account_id) j.account_id, j.bulk_job_id,
               max(j.served_time) OVER (PARTITION BY j.account_id) AS served
             FROM bulk_job j WHERE j.state = 'RUNNING' ORDER BY j.account_id, j.create_time) AS first
           ORDER BY served NULLS FIRST LIMIT $1"#,
        most,
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

/// Removes jobs, and what is known of rows, that are older than 30 days; at most so many of each. How many it were.
pub async fn forget_jobs(tx: &mut Tx, now: DateTime<Utc>, jobs: i64, keys: i64) -> Result<u64, Error> {
    let before = now - chrono::TimeDelta::days(30);
    let forgotten = sqlx::query!(
        "DELETE FROM bulk_job WHERE (account_id, bulk_job_id) IN
           (SELECT account_id, bulk_job_id FROM bulk_job WHERE end_time < $1 LIMIT $2)",
        before,
        jobs,
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    let keys = sqlx::query!(
        "DELETE FROM bulk_key WHERE (account_id, row_hash) IN
           (SELECT account_id, row_hash FROM bulk_key WHERE time < $1 LIMIT $2)",
        before,
        keys,
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    Ok(forgotten + keys)
}
