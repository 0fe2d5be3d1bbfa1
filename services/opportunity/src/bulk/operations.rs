use std::time::Duration;

use cosell_grpc::convert::timestamp;
use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    ListOperationsResponse, Operation, WaitOperationRequest, operation,
};
use cosell_proto::google::rpc;
use cosell_store::Tx;
use cosell_types::ClosedList as _;
use prost_types::Any;
use tonic::Code;

use super::{name, visible, worker};
use crate::api::{Api, status};
use crate::domain::access::{self, Reach};
use crate::domain::job::{Job, RowResult};
use crate::domain::values::BulkState;
use crate::store::jobs;

/// The most rows that an operation names.
const NAMED: i64 = 100;
/// How often is looked whether a job has ended.
const LOOK: Duration = Duration::from_millis(100);

pub async fn get(api: &Api, call: Call<GetOperationRequest>) -> Result<Operation, Failure> {
    let mut tx = api.begin(&call).await?;
    let job = visible(&mut tx, &call, &call.message.name).await?;
    show(&mut tx, &job).await
}

pub async fn list(
    api: &Api,
    mut call: Call<ListOperationsRequest>,
) -> Result<ListOperationsResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size).max(0));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.last(&token, |(_, id): &(chrono::DateTime<chrono::Utc>, String)| {
        !id.contains('\0')
    })?;
    let member = call.member()?;
    let own = (access::reach(member) != Reach::Account).then(|| member.id.as_str());
    let mut tx = api.begin(&call).await?;
    let found = jobs::list_jobs(&mut tx, &member.account, own, last.as_ref(), size + 1).await?;
    let (shown, next_page_token) =
        query.page(&found, size, running, |job| (job.create_time, job.id.clone()))?;
    Ok(ListOperationsResponse {
        operations: shown,
        next_page_token,
        ..Default::default()
    })
}

/// Answers when the job has ended, or when the time is over that the client states, or half of what is left of the call.
pub async fn wait(api: &Api, call: Call<WaitOperationRequest>) -> Result<Operation, Failure> {
    let stated = call
        .message
        .timeout
        .and_then(|timeout| Duration::try_from(timeout).ok());
    let left = call.deadline.left() / 2;
    let longest = stated.unwrap_or(left).min(left);
    let until = tokio::time::Instant::now() + longest;
    loop {
        let mut tx = api.begin(&call).await?;
        let job = visible(&mut tx, &call, &call.message.name).await?;
        if job.state != BulkState::Running || tokio::time::Instant::now() + LOOK > until {
            return show(&mut tx, &job).await;
        }
        drop(tx);
        tokio::time::sleep(LOOK).await;
    }
}

/// Ends a job; rows that were worked off stay as they are. Who goes away before the answer finds it ended or not.
pub async fn cancel(api: &Api, call: Call<CancelOperationRequest>) -> Result<(), Failure> {
    let mut tx = api.begin(&call).await?;
    let seen = visible(&mut tx, &call, &call.message.name).await?;
    let Some(mut job) = jobs::await_job(&mut tx, &seen.account, &seen.id).await? else {
        return Err(status::no_operation(&call.message.name));
    };
    if job.state == BulkState::Running {
        let now = api.clock.now();
        job.end(BulkState::Canceled, now);
        jobs::update_job(&mut tx, &job, Some(now)).await?;
        worker::tell(&mut tx, &job, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Removes a job that has ended, with its rows.
pub async fn delete(api: &Api, call: Call<DeleteOperationRequest>) -> Result<(), Failure> {
    let mut tx = api.begin(&call).await?;
    let job = visible(&mut tx, &call, &call.message.name).await?;
    if job.state == BulkState::Running {
        return Err(status::operation_running(&name(&job)));
    }
    jobs::delete_job(&mut tx, &job).await?;
    tx.commit().await
}

/// A job with its outcome.
pub async fn show(tx: &mut Tx, job: &Job) -> Result<Operation, Failure> {
    let mut shown = running(job);
    if job.state == BulkState::Completed {
        let result = any(&outcome(tx, job).await?)?;
        shown.result = Some(operation::Result::Response(result));
    }
    Ok(shown)
}

/// A job without what became of its rows.
fn running(job: &Job) -> Operation {
    let metadata = pb::BulkMetadata {
        kind: job.kind.number(),
        state: job.state.number(),
        created_by: job.member.to_string(),
        create_time: Some(timestamp(job.create_time)),
        end_time: job.end_time.map(timestamp),
        total: job.total,
        processed: job.processed,
        failed: job.failed,
        file_name: job.plan.file_name.reveal().clone(),
        validate_only: job.plan.validate_only,
    };
    let error = |code: Code, message: &str| {
        operation::Result::Error(rpc::Status {
            code: code as i32,
            message: message.to_owned(),
            details: Vec::new(),
        })
    };
    let result = match job.state {
        BulkState::Running | BulkState::Completed => None,
        BulkState::Canceled => Some(error(Code::Cancelled, "the job was canceled")),
        BulkState::Failed => {
            let text = "who began the job may not do so any more";
            Some(error(Code::PermissionDenied, text))
        }
    };
    Operation {
        name: name(job),
        metadata: any(&metadata).ok(),
        done: job.state != BulkState::Running,
        result,
    }
}

async fn outcome(tx: &mut Tx, job: &Job) -> Result<pb::BulkResult, Failure> {
    let counts = jobs::count_results(tx, job).await?;
    let count = |result: RowResult| counts.get(result.name()).copied().unwrap_or_default();
    let failures = jobs::rows(tx, job, 0, true, NAMED).await?;
    let failures = failures.into_iter().map(|row| {
        let texts: Vec<_> = row.violations.iter().map(ToString::to_string).collect();
        pb::RowFailure {
            row: row.number,
            opportunity_id: row.opportunity.map(|id| id.to_string()).unwrap_or_default(),
            code: row
                .violations
                .first()
                .map(|first| first.code.clone())
                .unwrap_or_default(),
            description: texts.join("; "),
        }
    });
    Ok(pb::BulkResult {
        total: job.total,
        created: count(RowResult::Created),
        submitted: count(RowResult::Submitted),
        updated: count(RowResult::Updated),
        assigned: count(RowResult::Assigned),
        unchanged: count(RowResult::Unchanged),
        valid: count(RowResult::Valid),
        failed: count(RowResult::Failed),
        failures: failures.collect(),
    })
}

fn any(message: &impl prost::Name) -> Result<Any, Failure> {
    Any::from_msg(message).map_err(Failure::internal)
}
