use chrono::{DateTime, Utc};
use cosell_events::{Cause, append};
use cosell_grpc::Failure;
use cosell_store::Tx;

use crate::domain::job::Job;
use crate::events;

/// The cause of the effects of a job: the member and the call that created the job.
pub fn job_cause(job: &Job, time: DateTime<Utc>) -> Cause<'_> {
    Cause {
        actor: job.member.as_str(),
        request_id: &job.request_id,
        time,
    }
}

/// Appends the event `BulkJobFinished` of a job to the outbox.
pub async fn append_job_finished(tx: &mut Tx, job: &Job, now: DateTime<Utc>) -> Result<(), Failure> {
    Ok(append(tx, &events::bulk_job_finished(job, job_cause(job, now))).await?)
}
