use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, conclude, convert, visible};
use crate::domain::Opportunity;

pub async fn handle(
    api: Api,
    call: Call<pb::UntagOpportunityRequest>,
) -> Result<pb::UntagOpportunityResponse, Failure> {
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
    let event = record.untag(&member.id, &message.tag_keys, api.clock.now());
    if let Some(event) = event {
        conclude(tx, &call, &record, &event).await?;
    }
    Ok(respond(&api, &record))
}

fn respond(api: &Api, record: &Opportunity) -> pb::UntagOpportunityResponse {
    pb::UntagOpportunityResponse {
        opportunity: Some(convert::opportunity(record, &api.catalog)),
    }
}
