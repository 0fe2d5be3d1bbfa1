use chrono::{DateTime, Utc};
use cosell_events::{Cause, append};
use cosell_store::{Error, Scope, Tx, written};
use cosell_types::{AccountId, ClosedList as _, OpportunityId};
use sqlx::types::Json;

use crate::domain::values::SnapshotTemplate;
use crate::domain::{JobId, Snapshot, SnapshotJob, Subject};
use crate::events;

/// The newest snapshot of a subject.
pub struct NewestSnapshot {
    /// Its number.
    pub revision: i64,
    /// The revision of what it was made of.
    pub source_revision: i64,
    /// What it says.
    pub payload: Vec<u8>,
}

/// The newest snapshot of a subject.
pub async fn newest_snapshot(tx: &mut Tx, of: &Subject) -> Result<Option<NewestSnapshot>, Error> {
    let row = sqlx::query!(
        "SELECT revision, source_revision, payload FROM snapshot
         WHERE account_id = $1 AND engagement_id = $2 AND opportunity_id = $3 AND template = $4
         ORDER BY revision DESC LIMIT 1",
        of.account.as_str(),
        of.engagement.as_str(),
        of.opportunity.number(),
        of.template.name(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| NewestSnapshot {
        revision: row.revision,
        source_revision: row.source_revision,
        payload: row.payload,
    }))
}

/// Adds a snapshot, for these companies to read: the row and an event for each of them, or none of it. The transaction
/// is for one of them afterwards.
pub async fn add_snapshot(
    tx: &mut Tx,
    snapshot: &Snapshot,
    (payload, is_limited): (&[u8], bool),
    readers: &[AccountId],
    cause: Cause<'_>,
) -> Result<(), Error> {
    let of = &snapshot.subject;
    let added = sqlx::query!(
        "INSERT INTO snapshot (account_id, engagement_id, opportunity_id, template, revision, create_time, source_revision,
           payload, is_limited)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        of.account.as_str(),
        of.engagement.as_str(),
        of.opportunity.number(),
        of.template.name(),
        snapshot.revision,
        snapshot.create_time,
        snapshot.source_revision,
        payload,
        is_limited,
    )
    .execute(tx.conn())
    .await?;
    written(added.rows_affected())?;
    for reader in readers {
        tx.act_for(&Scope::account(reader)).await?;
        append(tx, &events::snapshot(snapshot, reader, readers, cause)).await?;
    }
    Ok(())
}

/// A snapshot with what it says, as far as row-level security shows it: the one with this number, or the newest.
pub async fn load_snapshot(
    tx: &mut Tx,
    engagement: &str,
    opportunity: OpportunityId,
    template: SnapshotTemplate,
    revision: Option<i64>,
) -> Result<Option<(Snapshot, Vec<u8>)>, Error> {
    let row = sqlx::query!(
        "SELECT account_id, engagement_id, revision, create_time, source_revision, payload FROM snapshot
         WHERE engagement_id = $1 AND opportunity_id = $2 AND template = $3 AND ($4::bigint IS NULL OR revision = $4)
         ORDER BY revision DESC LIMIT 1",
        engagement,
        opportunity.number(),
        template.name(),
        revision,
    )
    .fetch_optional(tx.conn())
    .await?;
    let corrupt = |error| Error::corrupt("id", error);
    row.map(|row| {
        let subject = Subject {
            account: row.account_id.parse().map_err(corrupt)?,
            engagement: row.engagement_id.parse().map_err(corrupt)?,
            opportunity,
            template,
        };
        let snapshot = Snapshot {
            subject,
            revision: row.revision,
            create_time: row.create_time,
            source_revision: row.source_revision,
        };
        Ok((snapshot, row.payload))
    })
    .transpose()
}

/// Writes a new job. False when there is one for its subject.
pub async fn create_job(tx: &mut Tx, job: &SnapshotJob) -> Result<bool, Error> {
    let of = job.subject();
    let added = sqlx::query!(
        "INSERT INTO snapshot_job (account_id, snapshot_job_id, engagement_id, opportunity_id, template, state, by_member_id,
           create_time, due_time, record)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (account_id, opportunity_id, template, engagement_id) DO NOTHING",
        of.account.as_str(),
        job.id().as_str(),
        of.engagement.as_str(),
        of.opportunity.number(),
        of.template.name(),
        job.state().name(),
        job.by().as_str(),
        job.create_time(),
        job.due(),
        Json(job) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(added.rows_affected() == 1)
}

/// A job of an account.
pub async fn load_job(tx: &mut Tx, account: &AccountId, id: &JobId) -> Result<Option<SnapshotJob>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<SnapshotJob>" FROM snapshot_job WHERE account_id = $1 AND snapshot_job_id = $2"#,
        account.as_str(),
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// A job of an account, held until the transaction ends.
pub async fn lock_job(tx: &mut Tx, account: &AccountId, id: &JobId) -> Result<Option<SnapshotJob>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<SnapshotJob>" FROM snapshot_job
           WHERE account_id = $1 AND snapshot_job_id = $2 FOR UPDATE"#,
        account.as_str(),
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The jobs of an opportunity for these parts of it, held until the transaction ends.
pub async fn jobs_of_opportunity(
    tx: &mut Tx,
    account: &AccountId,
    opportunity: OpportunityId,
    templates: &[SnapshotTemplate],
) -> Result<Vec<SnapshotJob>, Error> {
    let templates: Vec<_> = templates
        .iter()
        .map(|template| template.name().to_owned())
        .collect();
    let rows = sqlx::query!(
        r#"SELECT record AS "record: Json<SnapshotJob>" FROM snapshot_job
           WHERE account_id = $1 AND opportunity_id = $2 AND template = ANY($3) ORDER BY snapshot_job_id FOR UPDATE"#,
        account.as_str(),
        opportunity.number(),
        &templates,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| row.record.0).collect())
}

/// Changes a job that is held.
pub async fn save_job(tx: &mut Tx, job: &SnapshotJob) -> Result<(), Error> {
    let updated = sqlx::query!(
        "UPDATE snapshot_job SET state = $3, due_time = $4, record = $5 WHERE account_id = $1 AND snapshot_job_id = $2",
        job.subject().account.as_str(),
        job.id().as_str(),
        job.state().name(),
        job.due(),
        Json(job) as _,
    )
    .execute(tx.conn())
    .await?;
    written(updated.rows_affected())
}

/// Throws a job away.
pub async fn delete_job(tx: &mut Tx, job: &SnapshotJob) -> Result<(), Error> {
    sqlx::query!(
        "DELETE FROM snapshot_job WHERE account_id = $1 AND snapshot_job_id = $2",
        job.subject().account.as_str(),
        job.id().as_str(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A job that is to look.
pub struct DueJob {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub id: JobId,
    due_time: DateTime<Utc>,
}

/// Jobs of all accounts that are to look, the longest overdue first, after `last`; for the worker.
pub async fn due_jobs(
    tx: &mut Tx,
    now: DateTime<Utc>,
    last: Option<&DueJob>,
    most: i64,
) -> Result<Vec<DueJob>, Error> {
    let rows = sqlx::query!(
        r#"SELECT account_id, snapshot_job_id, due_time AS "due_time!" FROM snapshot_job
           WHERE due_time <= $1 AND (due_time, account_id, snapshot_job_id) > ($2, $3, $4)
           ORDER BY due_time, account_id, snapshot_job_id LIMIT $5"#,
        now,
        last.map_or(DateTime::UNIX_EPOCH, |due| due.due_time),
        last.map_or("", |due| due.account.as_str()),
        last.map_or("", |due| due.id.as_str()),
        most,
    )
    .fetch_all(tx.conn())
    .await?;
    let corrupt = |error| Error::corrupt("id", error);
    rows.into_iter()
        .map(|row| {
            Ok(DueJob {
                account: row.account_id.parse().map_err(corrupt)?,
                id: row.snapshot_job_id.parse().map_err(corrupt)?,
                due_time: row.due_time,
            })
        })
        .collect()
}
