//! A job as `google.longrunning.Operation` (AIP-151).

use cosell_grpc::Failure;
use cosell_grpc::convert::timestamp;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::google::longrunning::{Operation, operation};
use cosell_proto::google::rpc;
use cosell_store::Tx;
use cosell_types::ClosedList as _;
use prost_types::Any;
use tonic::Code;

use crate::domain::job::{Job, JobFailure, RowResult};
use crate::domain::values::BulkState;
use crate::store::bulk_rows;

/// The maximum number of row failures in an operation.
const MAX_FAILURES: i64 = 100;

pub fn name(job: &Job) -> String {
    format!("operations/{}", job.id)
}

/// Converts a job to an operation with the results of its rows.
pub async fn from_job(tx: &mut Tx, job: &Job) -> Result<Operation, Failure> {
    let mut operation = from_job_without_results(job);
    if job.state == BulkState::Completed {
        let result = any(&load_result(tx, job).await?)?;
        operation.result = Some(operation::Result::Response(result));
    }
    Ok(operation)
}

/// Converts a job to an operation without the results of its rows, as lists return it.
pub fn from_job_without_results(job: &Job) -> Operation {
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
        BulkState::Canceled => Some(error(Code::Cancelled, "The job was canceled.")),
        BulkState::Failed => Some(match job.plan.failure {
            Some(JobFailure::AssigneeNotEligible) => error(
                Code::FailedPrecondition,
                "The assignee can no longer own opportunities. Start a transfer to another member.",
            ),
            Some(JobFailure::MemberNotPermitted) | None => error(
                Code::PermissionDenied,
                "The member who started the job is no longer permitted to do so.",
            ),
        }),
    };
    Operation {
        name: name(job),
        metadata: any(&metadata).ok(),
        done: job.state != BulkState::Running,
        result,
    }
}

async fn load_result(tx: &mut Tx, job: &Job) -> Result<pb::BulkResult, Failure> {
    let counts = bulk_rows::count_results(tx, job).await?;
    let count = |result: RowResult| counts.get(result.name()).copied().unwrap_or_default();
    let failures = bulk_rows::list_rows(tx, job, 0, true, MAX_FAILURES).await?;
    let failures = failures.into_iter().map(|row| {
        let descriptions: Vec<_> = row.violations.iter().map(ToString::to_string).collect();
        pb::RowFailure {
            row: row.number,
            opportunity_id: row.opportunity.map(|id| id.to_string()).unwrap_or_default(),
            code: row
                .violations
                .first()
                .map(|first| first.code.clone())
                .unwrap_or_default(),
            description: descriptions.join(" "),
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
