use cosell_grpc::{Call, Failure};
use cosell_proto::google::longrunning::CancelOperationRequest;
use cosell_store::begin;

use super::Api;
use crate::bulk::append_job_finished;
use crate::domain::values::BulkState;
use crate::load::load_job;
use crate::status;
use crate::store::bulk_jobs;

/// Cancels a running job; processed rows retain their results (OPP-085). Waits for the chunk that is being processed.
pub async fn handle(api: &Api, call: Call<CancelOperationRequest>) -> Result<(), Failure> {
    let mut tx = begin(&api.db, &call).await?;
    let visible = load_job(&mut tx, &call, &call.message.name).await?;
    let Some(mut job) = bulk_jobs::lock_job(&mut tx, &visible.account, &visible.id).await? else {
        return Err(status::operation_not_found(&call.message.name));
    };
    if job.state == BulkState::Running {
        let now = api.clock.now();
        job.end(BulkState::Canceled, now);
        bulk_jobs::update_job(&mut tx, &job, Some(now)).await?;
        append_job_finished(&mut tx, &job, now).await?;
        tx.commit().await?;
    }
    Ok(())
}
