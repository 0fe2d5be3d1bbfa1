use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::ClosedList as _;

use super::{Api, conclude, convert, status, visible};
use crate::domain::Opportunity;
use crate::domain::values::{InvolvementType, Visibility};

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
        return Ok(respond(&api, &record));
    }
    etags::check(&message.etag, record.revision())?;
    let involvement = InvolvementType::from_number(message.involvement_type)
        .ok_or_else(|| Failure::internal("validated, but no involvement type"))?;
    let visibility = Visibility::from_number(message.visibility).unwrap_or(Visibility::Full);
    let event = record
        .submit(&member.id, involvement, visibility, api.clock.now())
        .map_err(|rule| status::broken(rule, id))?;
    conclude(tx, &call, &record, &event).await?;
    Ok(respond(&api, &record))
}

fn respond(api: &Api, record: &Opportunity) -> pb::SubmitOpportunityResponse {
    pb::SubmitOpportunityResponse {
        opportunity: Some(convert::opportunity(record, &api.catalog)),
    }
}
