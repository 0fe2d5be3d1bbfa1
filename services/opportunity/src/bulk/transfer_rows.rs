use cosell_events::Lane;
use cosell_grpc::Failure;
use cosell_store::Tx;
use cosell_types::{Member, OpportunityId};

use super::worker::cause;
use crate::api::{Api, status};
use crate::domain::Event;
use crate::domain::access::sees;
use crate::domain::job::{Job, Outcome, RowResult};
use crate::store::{self, jobs::Row};

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
    let mut outcomes = Vec::with_capacity(rows.len());
    for row in rows {
        let name = row.content.as_str().unwrap_or_default();
        let id: Option<OpportunityId> = name.parse().ok();
        let record = match id {
            Some(id) => store::load(tx, &job.account, id).await?,
            None => None,
        };
        let Some(mut record) = record.filter(|record| sees(member, record)) else {
            let failure = status::not_found(name);
            outcomes.push(Outcome::impossible(
                row.number,
                id,
                failure.reason(),
                failure.message(),
            ));
            continue;
        };
        let outcome = match record.assign(&member.id, &assignee, api.clock.now()) {
            Err(rule) => {
                let failure = status::broken(rule, name);
                Outcome::impossible(row.number, id, failure.reason(), failure.message())
            }
            Ok(None) => Outcome::taken(row.number, RowResult::Unchanged, id),
            Ok(Some(_)) if job.plan.validate_only => Outcome::taken(row.number, RowResult::Valid, id),
            Ok(Some(event)) => {
                if let Event::Assigned { from, .. } = &event {
                    job.plan.given_by.insert(from.clone());
                }
                let event = match event {
                    Event::Assigned { from, .. } => Event::Assigned {
                        from,
                        job: Some(job.id.clone()),
                    },
                    other => other,
                };
                let cause = cause(job, record.update_time());
                store::save_in(tx, Lane::Bulk, &record, &event, cause)
                    .await
                    .map_err(status::constraint)?;
                Outcome::taken(row.number, RowResult::Assigned, id)
            }
        };
        outcomes.push(outcome);
    }
    Ok(outcomes)
}
