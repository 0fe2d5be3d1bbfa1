use cosell_grpc::{Call, Failure};
use cosell_proto::google::longrunning::DeleteOperationRequest;
use cosell_store::begin;

use super::Api;
use crate::bulk::operation;
use crate::domain::values::BulkState;
use crate::load::load_job;
use crate::status;
use crate::store::bulk_jobs;

/// Deletes a finished job with its rows (OPP-085).
pub async fn handle(api: &Api, call: Call<DeleteOperationRequest>) -> Result<(), Failure> {
    let mut tx = begin(&api.db, &call).await?;
    let job = load_job(&mut tx, &call, &call.message.name).await?;
    if job.state == BulkState::Running {
        return Err(status::operation_running(&operation::name(&job)));
    }
    bulk_jobs::delete_job(&mut tx, &job).await?;
    tx.commit().await
}
