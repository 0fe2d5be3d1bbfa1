//! The snapshot jobs that are created for each new member of an engagement.

use chrono::{DateTime, Utc};
use cosell_grpc::Failure;
use cosell_store::{Scope, Tx};
use cosell_types::{Member, OpportunityId, random};

use crate::domain::values::SnapshotTemplate;
use crate::domain::{EngagementId, SnapshotJob, SnapshotSubject};
use crate::store;

/// Creates a job for each template, for the opportunity that the member's account has in the engagement. The
/// transaction has the scope of that account afterwards.
pub async fn create_default_jobs(
    tx: &mut Tx,
    engagement: &EngagementId,
    member: &Member,
    opportunity: OpportunityId,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    tx.switch_scope(&Scope::account(&member.account)).await?;
    for template in [
        SnapshotTemplate::OpportunitySummary,
        SnapshotTemplate::AwsOpportunitySummary,
    ] {
        let subject = SnapshotSubject {
            account: member.account.clone(),
            engagement: engagement.clone(),
            opportunity,
            template,
        };
        let id = random::prefixed("job-").parse().map_err(Failure::internal)?;
        let job = SnapshotJob::create(id, subject, member.id.clone(), now);
        store::create_job(tx, &job).await?;
    }
    Ok(())
}
