use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, conclude, convert, selection, status, visible};
use crate::domain::{Advice, Opportunity, advice};
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::UpdateOpportunityRequest>,
) -> Result<pb::UpdateOpportunityResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let mut record = visible(&mut tx, &call, id).await?;
    if claimed != Claim::New {
        return Ok(respond(&api, &record, Vec::new()));
    }
    etags::check(&message.etag, record.revision())?;
    let (given, selected, mut wrong) = selection(message.opportunity.as_ref(), message.update_mask.as_ref());
    wrong.splice(..0, call.shape.iter().cloned());
    let facts = store::facts(
        &mut tx,
        &api.policy,
        record.account(),
        &[&given, record.details()],
    )
    .await?;
    let updated = record.update(&member.id, &selected, &given, &facts, api.clock.now());
    let event = status::together(wrong, updated, id)?;
    if let Some(event) = event {
        conclude(tx, &call, &record, &event).await?;
    }
    let hints = advice::on_change(&given, record.details());
    let hints = hints
        .into_iter()
        .filter(|hint| selected.iter().any(|field| hint.is_about(*field)));
    Ok(respond(&api, &record, hints.collect()))
}

fn respond(api: &Api, record: &Opportunity, hints: Vec<Advice>) -> pb::UpdateOpportunityResponse {
    pb::UpdateOpportunityResponse {
        warnings: convert::warnings(hints),
        opportunity: Some(convert::opportunity(record, &api.catalog)),
    }
}
