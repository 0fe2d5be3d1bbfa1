use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::ClosedList as _;

use super::{Api, conclude, convert, status, visible};
use crate::domain::values::{InvolvementType, Visibility};
use crate::domain::{Advice, Opportunity, advice};
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::SubmitOpportunityRequest>,
) -> Result<pb::SubmitOpportunityResponse, Failure> {
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
    let involvement = InvolvementType::from_number(message.involvement_type)
        .ok_or_else(|| Failure::internal("validated, but no involvement type"))?;
    let visibility = Visibility::from_number(message.visibility).unwrap_or(Visibility::Full);
    let facts = store::facts(&mut tx, &api.policy, record.account(), &[record.details()]).await?;
    let event = record
        .submit(&member.id, involvement, visibility, &facts, api.clock.now())
        .map_err(|rule| status::broken(rule, id))?;
    conclude(tx, &call, &record, &event).await?;
    let hints = advice::on_submission(record.details(), &facts);
    Ok(respond(&api, &record, hints))
}

fn respond(api: &Api, record: &Opportunity, hints: Vec<Advice>) -> pb::SubmitOpportunityResponse {
    pb::SubmitOpportunityResponse {
        warnings: convert::warnings(hints),
        opportunity: Some(convert::opportunity(record, &api.catalog)),
    }
}
