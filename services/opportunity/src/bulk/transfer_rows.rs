use chrono::{DateTime, Utc};
use cosell_grpc::Failure;
use cosell_store::Tx;
use cosell_types::Member;

use super::job_records::JobRecords;
use crate::domain::job::{Job, RowOutcome, RowResult};
use crate::status;
use crate::store::bulk_rows::BulkRow;

/// Assigns each opportunity to the assignee of the job, by the rules of `AssignOpportunity` (OPP-087).
pub async fn process(
    tx: &mut Tx,
    now: DateTime<Utc>,
    (job, member): (&mut Job, &Member),
    rows: &[BulkRow],
) -> Result<Vec<RowOutcome>, Failure> {
    let assignee = job
        .plan
        .assignee
        .clone()
        .ok_or_else(|| Failure::internal("the transfer has no assignee"))?;
    let ids: Vec<_> = rows
        .iter()
        .map(|row| row.content.as_str().unwrap_or_default())
        .collect();
    let mut records = JobRecords::load(tx, (job, member), &ids).await?;
    let mut outcomes = Vec::with_capacity(rows.len());
    for (row, id) in rows.iter().zip(ids) {
        let mut record = match records.get(row.number, id) {
            Ok(record) => record.clone(),
            Err(outcome) => {
                outcomes.push(outcome);
                continue;
            }
        };
        let (opportunity, previous_owner) = (Some(record.id()), record.owner().clone());
        let assigned = record.assign(&member.id, &assignee, Some(&job.id), now);
        outcomes.push(match assigned {
            Err(rule) => {
                let failure = status::rule_violated(rule, id);
                RowOutcome::refused_with_reason(row.number, opportunity, failure.reason(), failure.message())
            }
            Ok(None) => RowOutcome::accepted(row.number, RowResult::Unchanged, opportunity),
            Ok(Some(_)) if job.plan.validate_only => {
                RowOutcome::accepted(row.number, RowResult::Valid, opportunity)
            }
            Ok(Some(event)) => {
                job.plan.given_by.insert(previous_owner);
                records.add_change(record, event);
                RowOutcome::accepted(row.number, RowResult::Assigned, opportunity)
            }
        });
    }
    records.save(tx, job).await?;
    Ok(outcomes)
}
