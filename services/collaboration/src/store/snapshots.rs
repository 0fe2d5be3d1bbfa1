use chrono::{DateTime, Utc};
use cosell_events::{Cause, append};
use cosell_store::{Error, Scope, Tx, require_written};
use cosell_types::{AccountId, ClosedList as _, OpportunityId};
use sqlx::types::Json;

use crate::domain::values::SnapshotTemplate;
use crate::domain::{Snapshot, SnapshotJob, SnapshotJobId, SnapshotSubject};
use crate::events;

/// The newest snapshot of a subject.
pub struct NewestSnapshot {
    pub revision: i64,
    /// The revision of the copied opportunity or AWS summary.
    pub source_revision: i64,
    pub payload: Vec<u8>,
}

pub async fn load_newest_snapshot(
    tx: &mut Tx,
    subject: &SnapshotSubject,
) -> Result<Option<NewestSnapshot>, Error> {
    let row = sqlx::query!(
        "SELECT revision, source_revision, payload FROM snapshot
         WHERE account_id = $1 AND engagement_id = $2 AND opportunity_id = $3 AND template = $4
         ORDER BY revision DESC LIMIT 1",
        subject.account.as_str(),
        subject.engagement.as_str(),
        subject.opportunity.number(),
        subject.template.name(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| NewestSnapshot {
        revision: row.revision,
        source_revision: row.source_revision,
        payload: row.payload,
    }))
}

/// Adds a snapshot, and an event for each account that can read it. The transaction has the scope of one of these
/// accounts afterwards.
pub async fn add_snapshot(
    tx: &mut Tx,
    snapshot: &Snapshot,
    (payload, is_limited): (&[u8], bool),
    readers: &[AccountId],
    cause: Cause<'_>,
) -> Result<(), Error> {
    let subject = &snapshot.subject;
    let added = sqlx::query!(
        "INSERT INTO snapshot (account_id, engagement_id, opportunity_id, template, revision, create_time, source_revision,
           payload, is_limited)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        subject.account.as_str(),
        subject.engagement.as_str(),
        subject.opportunity.number(),
        subject.template.name(),
        snapshot.revision,
        snapshot.create_time,
        snapshot.source_revision,
        payload,
        is_limited,
    )
    .execute(tx.conn())
    .await?;
    require_written(added.rows_affected())?;
    for reader in readers {
        tx.switch_scope(&Scope::account(reader)).await?;
        append(tx, &events::snapshot(snapshot, reader, readers, cause)).await?;
    }
    Ok(())
}

/// The snapshot with this revision, or the newest, with its payload, if row-level security makes it visible.
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
        let subject = SnapshotSubject {
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

/// Saves a new job. False when its subject already has a job.
pub async fn create_job(tx: &mut Tx, job: &SnapshotJob) -> Result<bool, Error> {
    let subject = job.subject();
    let added = sqlx::query!(
        "INSERT INTO snapshot_job (account_id, snapshot_job_id, engagement_id, opportunity_id, template, state, by_member_id,
           create_time, due_time, record)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (account_id, opportunity_id, template, engagement_id) DO NOTHING",
        subject.account.as_str(),
        job.id().as_str(),
        subject.engagement.as_str(),
        subject.opportunity.number(),
        subject.template.name(),
        job.state().name(),
        job.created_by().as_str(),
        job.create_time(),
        job.due_time(),
        Json(job) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(added.rows_affected() == 1)
}

pub async fn load_job(
    tx: &mut Tx,
    account: &AccountId,
    id: &SnapshotJobId,
) -> Result<Option<SnapshotJob>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<SnapshotJob>" FROM snapshot_job WHERE account_id = $1 AND snapshot_job_id = $2"#,
        account.as_str(),
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// A job of an account, locked until the transaction ends.
pub async fn lock_job(
    tx: &mut Tx,
    account: &AccountId,
    id: &SnapshotJobId,
) -> Result<Option<SnapshotJob>, Error> {
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

/// The jobs of an opportunity with these templates, in all engagements, locked until the transaction ends.
pub async fn lock_jobs_of_opportunity(
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

/// Saves a job, which must be locked.
pub async fn save_job(tx: &mut Tx, job: &SnapshotJob) -> Result<(), Error> {
    let updated = sqlx::query!(
        "UPDATE snapshot_job SET state = $3, due_time = $4, record = $5 WHERE account_id = $1 AND snapshot_job_id = $2",
        job.subject().account.as_str(),
        job.id().as_str(),
        job.state().name(),
        job.due_time(),
        Json(job) as _,
    )
    .execute(tx.conn())
    .await?;
    require_written(updated.rows_affected())
}

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

/// A job whose next run is due.
pub struct DueJob {
    pub account: AccountId,
    pub id: SnapshotJobId,
    due_time: DateTime<Utc>,
}

/// At most `limit` due jobs of all accounts after `last`, longest overdue first. Requires the work scope.
pub async fn list_due_jobs(
    tx: &mut Tx,
    now: DateTime<Utc>,
    last: Option<&DueJob>,
    limit: i64,
) -> Result<Vec<DueJob>, Error> {
    let rows = sqlx::query!(
        r#"SELECT account_id, snapshot_job_id, due_time AS "due_time!" FROM snapshot_job
           WHERE due_time <= $1 AND (due_time, account_id, snapshot_job_id) > ($2, $3, $4)
           ORDER BY due_time, account_id, snapshot_job_id LIMIT $5"#,
        now,
        last.map_or(DateTime::UNIX_EPOCH, |due| due.due_time),
        last.map_or("", |due| due.account.as_str()),
        last.map_or("", |due| due.id.as_str()),
        limit,
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
