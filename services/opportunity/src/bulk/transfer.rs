use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::transfer_opportunities_request::Records;
use cosell_proto::google::longrunning::Operation;
use cosell_store::{Claim, Tx, claim};
use cosell_types::{Member, random};
use serde_json::Value;

use super::{operations, visible};
use crate::api::{Api, assign, list, status, visible as seen};
use crate::domain::Periods;
use crate::domain::job::{Job, Plan};
use crate::domain::values::{BulkKind, BulkState};
use crate::store::jobs;
use crate::store::list::{Asked, write_rows};

pub async fn handle(api: Api, call: Call<pb::TransferOpportunitiesRequest>) -> Result<Operation, Failure> {
    let message = &call.message;
    let records = message.records.as_ref();
    let records = records.ok_or_else(|| Failure::internal("validated, but no records"))?;
    let member = call.member()?;
    let id = random::prefixed("bulkjob-");
    let mut tx = api.begin(&call).await?;
    if let Claim::Replay(done) = claim(&mut tx, &call, &id).await? {
        let job = visible(&mut tx, &call, &format!("operations/{done}")).await?;
        return operations::show(&mut tx, &job).await;
    }
    if let Records::Ids(named) = records {
        for id in &named.opportunity_ids {
            seen(&mut tx, &call, id).await?;
        }
    }
    let assignee = assign::new_owner(&mut tx, &member.account, &message.owner_member_id).await?;
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
    jobs::insert_job(&mut tx, &job).await?;
    match records {
        Records::List(chosen) => {
            add_list(&api, call.member()?, chosen, &mut tx, &mut job).await?;
            if Some(job.total) != chosen.expected_count {
                return Err(status::count_mismatch(job.total));
            }
        }
        Records::Ids(named) => {
            let ids = named.opportunity_ids.iter();
            let rows: Vec<_> = ids.map(|id| Value::String(id.clone())).collect();
            jobs::insert_rows(&mut tx, &job, 1, &rows).await?;
            job.total = rows.len().try_into().map_err(Failure::internal)?;
        }
    }
    if job.total == 0 {
        job.end(BulkState::Completed, api.clock.now());
    }
    jobs::update_job(&mut tx, &job, None).await?;
    let shown = operations::show(&mut tx, &job).await?;
    tx.commit().await?;
    api.job.notify_one();
    Ok(shown)
}

/// Every record of the list that the caller sees; what of them can be given away is for each one to say.
async fn add_list(
    api: &Api,
    by: &Member,
    chosen: &pb::OpportunityList,
    tx: &mut Tx,
    job: &mut Job,
) -> Result<(), Failure> {
    let list = pb::ListOpportunitiesRequest {
        filter: chosen.filter.clone(),
        preset: chosen.preset,
        search: chosen.search.clone(),
        ..Default::default()
    };
    let asked = Asked {
        by,
        periods: &Periods::at(api.clock.now()),
    };
    let rows = write_rows(tx, asked, &list::filter(&list)?, job).await?;
    job.total = rows.try_into().map_err(Failure::internal)?;
    Ok(())
}
