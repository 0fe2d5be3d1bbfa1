use std::collections::BTreeMap;

use cosell_store::{Error, Tx};
use cosell_types::OpportunityId;
use serde_json::Value;
use sqlx::types::Json;

use crate::domain::job::{Job, RowOutcome, RowResult, RowViolation};

/// A row of a job. Its content can be personal data, so it does not implement `Debug`.
#[derive(Clone)]
pub struct BulkRow {
    /// Counted from 1; the header of a CSV file does not count.
    pub number: i64,
    /// The cells of a CSV row as an array, else a JSON line or an opportunity id as a string.
    pub content: Value,
    /// `None` until the row is processed.
    pub result: Option<String>,
    pub opportunity: Option<OpportunityId>,
    pub violations: Vec<RowViolation>,
}

impl BulkRow {
    /// The size of the content in bytes.
    pub fn size(&self) -> usize {
        let size = |value: &Value| value.as_str().map_or(0, str::len);
        match &self.content {
            Value::Array(cells) => cells.iter().map(size).sum(),
            content => size(content),
        }
    }
}

/// Inserts rows with consecutive numbers from `first_number`.
pub async fn insert_rows(tx: &mut Tx, job: &Job, first_number: i64, contents: &[Value]) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO bulk_row (account_id, bulk_job_id, number, content)
         SELECT $1, $2, $3 + given.n - 1, given.content FROM unnest($4::jsonb[]) WITH ORDINALITY AS given (content, n)",
        job.account.as_str(),
        job.id,
        first_number,
        contents,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lists the next rows that are not processed, in their order.
pub async fn list_pending_rows(tx: &mut Tx, job: &Job, limit: i64) -> Result<Vec<BulkRow>, Error> {
    let rows = sqlx::query!(
        "SELECT number, content FROM bulk_row
         WHERE account_id = $1 AND bulk_job_id = $2 AND result IS NULL ORDER BY number LIMIT $3",
        job.account.as_str(),
        job.id,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows.into_iter().map(|row| BulkRow {
        number: row.number,
        content: row.content,
        result: None,
        opportunity: None,
        violations: Vec::new(),
    });
    Ok(rows.collect())
}

/// Lists the rows after the number `after`, all or only the failed ones.
pub async fn list_rows(
    tx: &mut Tx,
    job: &Job,
    after: i64,
    failed_only: bool,
    limit: i64,
) -> Result<Vec<BulkRow>, Error> {
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
    let rows = rows.into_iter().map(|row| BulkRow {
        number: row.number,
        content: row.content,
        result: row.result,
        opportunity: row.opportunity_id.and_then(OpportunityId::from_number),
        violations: row.violations.map(|violations| violations.0).unwrap_or_default(),
    });
    Ok(rows.collect())
}

/// Saves the results of processed rows.
pub async fn save_outcomes(tx: &mut Tx, job: &Job, outcomes: &[RowOutcome]) -> Result<(), Error> {
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
        .map(|outcome| outcome.dry_run_keys.clone())
        .map(|dry_run_keys| {
            dry_run_keys.map_or((None, None), |dry_run_keys| {
                (Some(dry_run_keys.key), dry_run_keys.hash)
            })
        })
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

/// Counts the processed rows of a job by result.
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

/// Returns those of these keys of partner opportunity identifiers that are in use, with the opportunities that have them.
/// In a dry run, the rows before count as applied; the opportunity is `None` for one that a row would create.
pub async fn find_used_identifiers(
    tx: &mut Tx,
    job: &Job,
    keys: &[String],
) -> Result<BTreeMap<String, Option<OpportunityId>>, Error> {
    let rows = sqlx::query!(
        r#"SELECT partner_identifier_key AS "key!", opportunity_id AS "opportunity_id?" FROM opportunity o
           WHERE account_id = $1 AND partner_identifier_key = ANY($3) AND partner_identifier_key <> ''
             AND NOT EXISTS (SELECT FROM bulk_row r WHERE r.account_id = $1 AND r.bulk_job_id = $2
               AND r.opportunity_id = o.opportunity_id AND r.key IS NOT NULL)
           UNION ALL SELECT key, opportunity_id FROM bulk_row r
           WHERE account_id = $1 AND bulk_job_id = $2 AND key = ANY($3) AND key <> ''
             AND NOT EXISTS (SELECT FROM bulk_row l WHERE l.account_id = $1 AND l.bulk_job_id = $2
               AND l.opportunity_id = r.opportunity_id AND l.key IS NOT NULL AND l.number > r.number)"#,
        job.account.as_str(),
        job.id,
        keys,
    )
    .fetch_all(tx.conn())
    .await?;
    let used = rows
        .into_iter()
        .map(|row| (row.key, row.opportunity_id.and_then(OpportunityId::from_number)));
    Ok(used.collect())
}
