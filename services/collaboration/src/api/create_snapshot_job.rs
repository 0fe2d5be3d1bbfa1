use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_store::Scope;
use cosell_types::{ClosedList as _, random};

use super::Api;
use crate::domain::values::SnapshotTemplate;
use crate::domain::{Rule, SnapshotJob, SnapshotSubject};
use crate::load::load_engagement;
use crate::write::create;
use crate::{convert, status, store};

/// A job is created only for the opportunity that the caller's account has in the engagement.
pub async fn handle(
    api: Api,
    call: Call<pb::CreateSnapshotJobRequest>,
) -> Result<pb::CreateSnapshotJobResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let id = random::prefixed("job-");
    let template = SnapshotTemplate::from_number(message.template);
    let template = template.ok_or_else(|| Failure::internal("the validated request has no template"))?;
    let created = create(&api.db, &call, &id, async |tx| {
        let engagement = load_engagement(tx, &call, &message.engagement_id).await?;
        let opportunity = engagement
            .participant(&member.account)
            .and_then(|participant| participant.opportunity)
            .filter(|opportunity| opportunity.to_string() == message.opportunity_id)
            .ok_or_else(|| status::opportunity_not_found(&message.opportunity_id))?;
        let subject = SnapshotSubject {
            account: member.account.clone(),
            engagement: engagement.id().clone(),
            opportunity,
            template,
        };
        let job_id = id.parse().map_err(Failure::internal)?;
        let job = SnapshotJob::create(job_id, subject, member.id.clone(), api.clock.now());
        tx.switch_scope(&Scope::account(&member.account)).await?;
        if store::create_job(tx, &job).await? {
            return Ok((job, vec!["snapshot_job_created"]));
        }
        let jobs = store::lock_jobs_of_opportunity(tx, &member.account, opportunity, &[template]).await?;
        let existing = jobs
            .iter()
            .find(|existing| existing.subject().engagement == *engagement.id());
        let existing = existing
            .ok_or_else(|| Failure::concurrent_change("the existing job was deleted concurrently"))?;
        Err(status::rule_violated(Rule::SnapshotJobExists(
            existing.id().clone(),
        )))
    });
    let job = created.await?;
    Ok(pb::CreateSnapshotJobResponse {
        snapshot_job: Some(convert::job(&job)),
    })
}
