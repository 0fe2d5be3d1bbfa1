use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::ClosedList as _;

use super::Api;
use crate::domain::Details;
use crate::domain::values::RelatedEntityType;
use crate::write::change;
use crate::{convert, status, store};

pub async fn handle(
    api: Api,
    call: Call<pb::AssociateEntityRequest>,
) -> Result<pb::AssociateEntityResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let entity_type = RelatedEntityType::from_number(message.entity_type)
        .ok_or_else(|| Failure::internal("the validated request has no entity type"))?;
    let record = change(&api.db, &call, (id, &message.etag), async |tx, record| {
        // The associated entities are not checked again, so only facts about the new one are needed.
        let mut referenced = Details::default();
        let identifiers = referenced.related_entity_identifiers.identifiers_mut(entity_type);
        identifiers.push(message.entity_identifier.clone());
        let facts = store::load_facts(tx, &api.policy, record.account(), &[&referenced]).await?;
        let (entity, now) = (&message.entity_identifier, api.clock.now());
        let event = record.associate(&member.id, entity_type, entity, &facts, now);
        event.map_err(|rule| status::rule_violated(rule, id))
    })
    .await?;
    Ok(pb::AssociateEntityResponse {
        opportunity: Some(convert::opportunity(&record, &api.catalog)),
    })
}
