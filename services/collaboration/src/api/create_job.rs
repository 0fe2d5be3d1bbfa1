use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::{Claim, Scope, claim};
use cosell_types::{ClosedList as _, random};

use super::{Api, convert, status, visible};
use crate::domain::values::SnapshotTemplate;
use crate::domain::{Rule, SnapshotJob, Subject};
use crate::store;

/// A job for the opportunity that the caller's company has in the engagement; others are not for it to share.
pub async fn handle(
    api: Api,
    call: Call<pb::CreateSnapshotJobRequest>,
) -> Result<pb::CreateSnapshotJobResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let id = random::prefixed("job-");
    let mut tx = api.begin(&call).await?;
    if let Claim::Replay(done) = claim(&mut tx, &call, &id).await? {
        let job = visible::job(&mut tx, &call, &done).await?;
        return Ok(pb::CreateSnapshotJobResponse {
            snapshot_job: Some(convert::job(&job)),
        });
    }
    let engagement = visible::engagement(&mut tx, &call, &message.engagement_id).await?;
    let own = engagement
        .participant(&member.account)
        .and_then(|own| own.opportunity)
        .filter(|own| own.to_string() == message.opportunity_id);
    let opportunity = own.ok_or_else(|| status::opportunity_not_found(&message.opportunity_id))?;
    let subject = Subject {
        account: member.account.clone(),
        engagement: engagement.id().clone(),
        opportunity,
        template: SnapshotTemplate::from_number(message.template)
            .ok_or_else(|| Failure::internal("validated, but no template"))?,
    };
    let snapshot_job_id = id.parse().map_err(Failure::internal)?;
    let job = SnapshotJob::create(snapshot_job_id, subject, member.id.clone(), api.clock.now());
    tx.act_for(&Scope::account(&member.account)).await?;
    if !store::create_job(&mut tx, &job).await? {
        let of = job.subject();
        let jobs = store::jobs_of_opportunity(&mut tx, &member.account, opportunity, &[of.template]).await?;
        let present = jobs.iter().find(|job| job.subject().engagement == of.engagement);
        let present = present.ok_or_else(|| Failure::concurrent_change("the job was deleted meanwhile"))?;
        return Err(status::broken(Rule::JobExists(present.id().clone())));
    }
    api.conclude(tx, &call, &["snapshot_job_created"]).await?;
    Ok(pb::CreateSnapshotJobResponse {
        snapshot_job: Some(convert::job(&job)),
    })
}
