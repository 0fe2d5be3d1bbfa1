use cosell_grpc::{Call, Failure};
use cosell_members::require_assignable_member;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::transfer_opportunities_request::Records;
use cosell_proto::google::longrunning::Operation;
use cosell_store::{Claim, Tx, begin, claim};
use cosell_types::{Member, random};
use serde_json::Value;

use super::Api;
use crate::bulk::operation;
use crate::convert::filter::filter;
use crate::domain::Periods;
use crate::domain::job::{Job, Plan};
use crate::domain::values::{BulkKind, BulkState};
use crate::load::{load_job, load_opportunity};
use crate::status;
use crate::store::list::{OpportunityFilter, QueryContext, insert_rows_of_list};
use crate::store::{bulk_jobs, bulk_rows};

pub async fn handle(api: Api, call: Call<pb::TransferOpportunitiesRequest>) -> Result<Operation, Failure> {
    let message = &call.message;
    let records = message.records.as_ref();
    let records = records.ok_or_else(|| Failure::internal("the validated request has no records"))?;
    let member = call.member()?;
    let filter = match records {
        Records::List(list) => filter(
            "list.",
            list.filter.as_ref(),
            list.preset,
            &list.search,
            member.side,
        )?,
        Records::Ids(_) => OpportunityFilter::default(),
    };
    let id = random::prefixed("bulkjob-");
    let mut tx = begin(&api.db, &call).await?;
    if let Claim::Replay(created) = claim(&mut tx, &call, &id).await? {
        let job = load_job(&mut tx, &call, &format!("operations/{created}")).await?;
        return operation::from_job(&mut tx, &job).await;
    }
    if let Records::Ids(ids) = records {
        for id in &ids.opportunity_ids {
            load_opportunity(&mut tx, &call, id).await?;
        }
    }
    let assignee = require_assignable_member(&mut tx, &member.account, &message.owner_member_id).await?;
    let mut job = Job {
        id,
        account: member.account.clone(),
        kind: BulkKind::Transfer,
        state: BulkState::Running,
        member: member.id.clone(),
        request_id: call.tag.request_id.to_string(),
        plan: Plan {
            validate_only: message.validate_only,
            assignee: Some(assignee),
            ..Plan::default()
        },
        total: 0,
        processed: 0,
        failed: 0,
        create_time: api.clock.now(),
        end_time: None,
    };
    bulk_jobs::insert_job(&mut tx, &job).await?;
    match records {
        Records::List(list) => {
            add_list(&api, call.member()?, &filter, &mut tx, &mut job).await?;
            if Some(job.total) != list.expected_count {
                return Err(status::count_mismatch(job.total));
            }
        }
        Records::Ids(ids) => {
            let ids = ids.opportunity_ids.iter();
            let rows: Vec<_> = ids.map(|id| Value::String(id.clone())).collect();
            bulk_rows::insert_rows(&mut tx, &job, 1, &rows).await?;
            job.total = rows.len().try_into().map_err(Failure::internal)?;
        }
    }
    if job.total == 0 {
        job.end(BulkState::Completed, api.clock.now());
    }
    bulk_jobs::update_job(&mut tx, &job, None).await?;
    let operation = operation::from_job(&mut tx, &job).await?;
    tx.commit().await?;
    api.job_created.notify_one();
    Ok(operation)
}

/// Adds a row for every record of the list that is visible to the caller. Whether a record can be transferred is
/// checked when its row is processed.
async fn add_list(
    api: &Api,
    member: &Member,
    filter: &OpportunityFilter,
    tx: &mut Tx,
    job: &mut Job,
) -> Result<(), Failure> {
    let context = QueryContext {
        member,
        periods: &Periods::at(api.clock.now()),
    };
    let rows = insert_rows_of_list(tx, context, filter, job).await?;
    job.total = rows.try_into().map_err(Failure::internal)?;
    Ok(())
}
