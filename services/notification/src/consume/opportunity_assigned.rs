use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::opportunity::v1::OpportunityAssigned;

use super::PreparedNotification;
use crate::domain::TemplateFacts;
use crate::domain::values::NotificationKind;
use crate::store::RelatedRecords;

/// All facts are in the event, because a draft, which can be assigned too, is not visible to services. `None` for an
/// assignment by a bulk job, whose end has a notification of its own.
pub fn prepare(delivery: &Delivery) -> Result<Option<PreparedNotification>, HandlerError> {
    let event: OpportunityAssigned = delivery.message()?;
    if !event.bulk_job_id.is_empty() {
        return Ok(None);
    }
    let opportunity = event
        .opportunity_id
        .parse()
        .map_err(|_| HandlerError::permanent("opportunity_id is invalid"))?;
    let owners = [&event.previous_owner_member_id, &event.owner_member_id];
    Ok(Some(PreparedNotification {
        kind: NotificationKind::OwnershipChanged,
        related: RelatedRecords {
            opportunity: Some(opportunity),
            connection_invitation: None,
        },
        concerned_members: owners.into_iter().filter_map(|id| id.parse().ok()).collect(),
        contacts: Vec::new(),
        reviewer: None,
        facts: TemplateFacts {
            opportunity_id: event.opportunity_id,
            member: event.owner_member_id,
            ..TemplateFacts::default()
        },
    }))
}
