use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, conclude, convert, status, visible};
use crate::domain::{Opportunity, Rule};

pub async fn handle(
    api: Api,
    call: Call<pb::TagOpportunityRequest>,
) -> Result<pb::TagOpportunityResponse, Failure> {
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
    let given: Vec<_> = message.tags.iter().cloned().map(convert::tag).collect();
    let event = record
        .tag(&member.id, &given, api.clock.now())
        .map_err(|rule| match rule {
            Rule::Invalid(found) => Failure::invalid(found),
            rule => status::broken(rule, id),
        })?;
    if let Some(event) = event {
        conclude(tx, &call, &record, &event).await?;
    }
    Ok(respond(&api, &record))
}

fn respond(api: &Api, record: &Opportunity) -> pb::TagOpportunityResponse {
    pb::TagOpportunityResponse {
        opportunity: Some(convert::opportunity(record, &api.catalog)),
    }
}
