use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::opportunity::v1::OpportunityAssigned;

use super::{Dependencies, PreparedNotification};
use crate::domain::values::NotificationKind;
use crate::domain::{AssignmentFacts, RecordRef, TemplateFacts};

/// Reads the opportunity as its account sees it, because a draft, which can be assigned too, is not visible to
/// services. `None` for an assignment by a bulk job, whose end has a notification of its own.
pub async fn prepare(
    dependencies: &Dependencies,
    delivery: &Delivery,
) -> Result<Option<PreparedNotification>, HandlerError> {
    let event: OpportunityAssigned = delivery.message()?;
    if !event.bulk_job_id.is_empty() {
        return Ok(None);
    }
    let id = event
        .opportunity_id
        .parse()
        .map_err(|_| HandlerError::permanent("opportunity_id is invalid"))?;
    let (peers, account) = (&dependencies.peers, delivery.account.as_str());
    let project = peers.own_project(account, &event.opportunity_id).await?;
    let owners = [&event.previous_owner_member_id, &event.owner_member_id];
    let facts = TemplateFacts {
        records: vec![RecordRef::Opportunity(event.opportunity_id)],
        project,
        assignment: AssignmentFacts {
            owner: peers.member_name(account, &event.owner_member_id).await?,
            previous_owner: peers
                .member_name(account, &event.previous_owner_member_id)
                .await?,
        },
        ..TemplateFacts::default()
    };
    Ok(Some(PreparedNotification {
        concerned_members: owners.into_iter().filter_map(|id| id.parse().ok()).collect(),
        ..PreparedNotification::of_opportunity(NotificationKind::OwnershipChanged, Some(id), facts)
    }))
}
