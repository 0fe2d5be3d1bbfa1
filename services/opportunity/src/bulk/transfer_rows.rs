use cosell_grpc::Failure;
use cosell_store::Tx;
use cosell_types::Member;

use super::named::Named;
use crate::api::{Api, status};
use crate::domain::job::{Job, Outcome, RowResult};
use crate::store::jobs::Row;

/// Gives records to the member, each on its own (OPP-087).
pub async fn work_off(
    tx: &mut Tx,
    api: &Api,
    (job, member): (&mut Job, &Member),
    rows: &[Row],
) -> Result<Vec<Outcome>, Failure> {
    let assignee = job
        .plan
        .assignee
        .clone()
        .ok_or_else(|| Failure::internal("a transfer without a member to give to"))?;
    let names: Vec<_> = rows
        .iter()
        .map(|row| row.content.as_str().unwrap_or_default())
        .collect();
    let mut named = Named::load(tx, (job, member), &names).await?;
    let mut outcomes = Vec::with_capacity(rows.len());
    for (row, name) in rows.iter().zip(names) {
        let mut record = match named.get(row.number, name) {
            Ok(record) => record.clone(),
            Err(refused) => {
                outcomes.push(refused);
                continue;
            }
        };
        let (id, from) = (Some(record.id()), record.owner().clone());
        let assigned = record.assign(&member.id, &assignee, Some(&job.id), api.clock.now());
        outcomes.push(match assigned {
            Err(rule) => {
                let failure = status::broken(rule, name);
                Outcome::impossible(row.number, id, failure.reason(), failure.message())
            }
            Ok(None) => Outcome::taken(row.number, RowResult::Unchanged, id),
            Ok(Some(_)) if job.plan.validate_only => Outcome::taken(row.number, RowResult::Valid, id),
            Ok(Some(event)) => {
                job.plan.given_by.insert(from);
                named.change(record, event);
                Outcome::taken(row.number, RowResult::Assigned, id)
            }
        });
    }
    named.save(tx, job).await?;
    Ok(outcomes)
}
