use std::time::Duration;

use cosell_grpc::{Call, Failure};
use cosell_proto::google::longrunning::{Operation, WaitOperationRequest};
use cosell_store::begin;

use super::Api;
use crate::bulk::operation;
use crate::domain::values::BulkState;
use crate::load::load_job;

/// How often the state of the job is read.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Returns when the job has finished, when the timeout of the request is over, or after half of the remaining deadline.
pub async fn handle(api: &Api, call: Call<WaitOperationRequest>) -> Result<Operation, Failure> {
    let requested = call
        .message
        .timeout
        .and_then(|timeout| Duration::try_from(timeout).ok());
    let max_timeout = call.deadline.left() / 2;
    let timeout = requested.unwrap_or(max_timeout).min(max_timeout);
    let until = tokio::time::Instant::now() + timeout;
    loop {
        let mut tx = begin(&api.db, &call).await?;
        let job = load_job(&mut tx, &call, &call.message.name).await?;
        if job.state != BulkState::Running || tokio::time::Instant::now() + POLL_INTERVAL > until {
            return operation::from_job(&mut tx, &job).await;
        }
        drop(tx);
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
