//! The hashes of imported rows, which detect a row that is imported again (OPP-084).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, OpportunityId};

use crate::domain::job::Job;

/// Returns those of these row hashes that were applied, with the opportunities that the rows created. Discarded
/// opportunities do not count. In a dry run, rows of this job that were evaluated before count as applied, without an
/// opportunity.
pub async fn find_applied_rows(
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
    let applied = rows.into_iter().map(|row| {
        (
            row.row_hash,
            row.opportunity_id.and_then(OpportunityId::from_number),
        )
    });
    Ok(applied.collect())
}

/// Saves the hashes of applied rows with the opportunities that the rows created.
pub async fn save_applied_rows(
    tx: &mut Tx,
    account: &AccountId,
    rows: &[(Vec<u8>, OpportunityId)],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (hashes, ids): (Vec<_>, Vec<_>) = rows.iter().map(|(hash, id)| (hash.clone(), id.number())).unzip();
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
