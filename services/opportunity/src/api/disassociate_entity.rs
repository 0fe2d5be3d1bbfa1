use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::ClosedList as _;

use super::Api;
use crate::domain::values::RelatedEntityType;
use crate::write::change;
use crate::{convert, status, store};

pub async fn handle(
    api: Api,
    call: Call<pb::DisassociateEntityRequest>,
) -> Result<pb::DisassociateEntityResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let entity_type = RelatedEntityType::from_number(message.entity_type)
        .ok_or_else(|| Failure::internal("the validated request has no entity type"))?;
    let record = change(&api.db, &call, (id, &message.etag), async |tx, record| {
        let facts = store::load_facts(tx, &api.policy, record.account(), &[record.details()]).await?;
        let (entity, now) = (&message.entity_identifier, api.clock.now());
        let event = record.disassociate(&member.id, entity_type, entity, &facts, now);
        event.map_err(|rule| status::rule_violated(rule, id))
    })
    .await?;
    Ok(pb::DisassociateEntityResponse {
        opportunity: Some(convert::opportunity(&record, &api.catalog)),
    })
}
