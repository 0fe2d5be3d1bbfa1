use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::opportunity::v1::OpportunityAssigned;

use super::News;
use crate::domain::Facts;
use crate::domain::values::Kind;
use crate::store::About;

/// The event says all: a draft, which can be given away too, is not shown to services. Of a job's records the end of the job
/// tells.
pub fn prepare(delivery: &Delivery) -> Result<Option<News>, Fault> {
    let event: OpportunityAssigned = delivery.message()?;
    if !event.bulk_job_id.is_empty() {
        return Ok(None);
    }
    let opportunity = event
        .opportunity_id
        .parse()
        .map_err(|_| Fault::permanent("opportunity_id"))?;
    let own_of = [&event.previous_owner_member_id, &event.owner_member_id];
    Ok(Some(News {
        kind: Kind::OwnershipChanged,
        about: About {
            opportunity: Some(opportunity),
            invitation: None,
        },
        own_of: own_of.into_iter().filter_map(|id| id.parse().ok()).collect(),
        contacts: Vec::new(),
        reviewer: None,
        facts: Facts {
            opportunity_id: event.opportunity_id,
            member: event.owner_member_id,
            ..Facts::default()
        },
    }))
}
