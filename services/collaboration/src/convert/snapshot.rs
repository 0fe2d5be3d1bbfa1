//! The proto form of snapshots and snapshot jobs.

use cosell_grpc::convert::timestamp;
use cosell_grpc::{Failure, etags};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_types::ClosedList as _;
use prost::Message as _;

use crate::domain::{Snapshot, SnapshotJob};

/// A snapshot, with its payload if one is passed.
pub fn snapshot(snapshot: &Snapshot, payload: Option<Vec<u8>>) -> Result<pb::ResourceSnapshot, Failure> {
    let content =
        pb::ResourceSnapshot::decode(payload.unwrap_or_default().as_slice()).map_err(Failure::internal)?;
    let subject = &snapshot.subject;
    Ok(pb::ResourceSnapshot {
        engagement_id: subject.engagement.to_string(),
        opportunity_id: subject.opportunity.to_string(),
        owner_account_id: subject.account.to_string(),
        template: subject.template.number(),
        revision: snapshot.revision,
        create_time: Some(timestamp(snapshot.create_time)),
        source_revision: snapshot.source_revision,
        ..content
    })
}

pub fn job(job: &SnapshotJob) -> pb::SnapshotJob {
    let subject = job.subject();
    pb::SnapshotJob {
        snapshot_job_id: job.id().to_string(),
        etag: etags::of(job.revision()),
        revision: job.revision(),
        engagement_id: subject.engagement.to_string(),
        opportunity_id: subject.opportunity.to_string(),
        owner_account_id: subject.account.to_string(),
        template: subject.template.number(),
        state: job.state().number(),
        create_time: Some(timestamp(job.create_time())),
        last_success_time: job.last_success().map(timestamp),
        last_failure: job.last_failure().unwrap_or_default().to_owned(),
    }
}
