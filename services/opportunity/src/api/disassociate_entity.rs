use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::ClosedList as _;

use super::{Api, conclude, convert, status, visible};
use crate::domain::Opportunity;
use crate::domain::values::RelatedEntityType;
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::DisassociateEntityRequest>,
) -> Result<pb::DisassociateEntityResponse, Failure> {
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
    let kind = RelatedEntityType::from_number(message.entity_type)
        .ok_or_else(|| Failure::internal("validated, but no entity type"))?;
    let facts = store::facts(&mut tx, &api.policy, record.account(), &[record.details()]).await?;
    let event = record
        .disassociate(
            &member.id,
            kind,
            &message.entity_identifier,
            &facts,
            api.clock.now(),
        )
        .map_err(|rule| status::broken(rule, id))?;
    if let Some(event) = event {
        conclude(tx, &call, &record, &event).await?;
    }
    Ok(respond(&api, &record))
}

fn respond(api: &Api, record: &Opportunity) -> pb::DisassociateEntityResponse {
    pb::DisassociateEntityResponse {
        opportunity: Some(convert::opportunity(record, &api.catalog)),
    }
}
