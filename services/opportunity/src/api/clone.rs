use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::random;

use super::{Api, conclude, convert, selection, status, visible};
use crate::domain::{Advice, Opportunity, advice};
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::CloneOpportunityRequest>,
) -> Result<pb::CloneOpportunityResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let now = api.clock.now();
    let id = random::opportunity_id(now);
    let mut tx = api.begin(&call).await?;
    if let Claim::Replay(done) = claim(&mut tx, &call, &id.to_string()).await? {
        let record = visible(&mut tx, &call, &done).await?;
        return Ok(respond(&api, &record, Vec::new()));
    }
    let source = visible(&mut tx, &call, &message.opportunity_id).await?;
    let (given, selected, mut wrong) = selection(message.opportunity.as_ref(), message.update_mask.as_ref());
    wrong.splice(..0, call.shape.iter().cloned());
    let known = [&given, source.details()];
    let facts = store::facts(&mut tx, &api.policy, source.account(), &known).await?;
    let made = source.clone_with(id, member.id.clone(), &selected, &given, &facts, now);
    let (record, event) = status::together(wrong, made, &message.opportunity_id)?;
    conclude(tx, &call, &record, &event).await?;
    let hints = advice::on_change(&given, record.details());
    Ok(respond(&api, &record, hints))
}

fn respond(api: &Api, record: &Opportunity, hints: Vec<Advice>) -> pb::CloneOpportunityResponse {
    pb::CloneOpportunityResponse {
        warnings: convert::warnings(hints),
        opportunity: Some(convert::opportunity(record, &api.catalog)),
    }
}
