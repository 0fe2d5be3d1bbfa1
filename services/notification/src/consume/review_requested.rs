use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::review::v1::ReviewRoundOpened;

use super::News;
use crate::domain::Facts;
use crate::domain::values::Kind;
use crate::store::About;

pub fn prepare(delivery: &Delivery) -> Result<News, Fault> {
    let event: ReviewRoundOpened = delivery.message()?;
    let opportunity = event
        .opportunity_id
        .parse()
        .map_err(|_| Fault::permanent("opportunity_id"))?;
    let facts = Facts {
        opportunity_id: event.opportunity_id,
        round: event.round,
        review_case_id: event.review_case_id,
        partner: event.account_id,
        ..Facts::default()
    };
    Ok(News {
        kind: Kind::ReviewRequested,
        about: About {
            opportunity: Some(opportunity),
            invitation: None,
        },
        own_of: Vec::new(),
        contacts: Vec::new(),
        reviewer: event.assignee_member_id.parse().ok(),
        facts,
    })
}
