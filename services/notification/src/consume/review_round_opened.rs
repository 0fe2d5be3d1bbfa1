use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::review::v1::ReviewRoundOpened;

use super::PreparedNotification;
use crate::domain::TemplateFacts;
use crate::domain::values::NotificationKind;
use crate::store::RelatedRecords;

pub fn prepare(delivery: &Delivery) -> Result<PreparedNotification, HandlerError> {
    let event: ReviewRoundOpened = delivery.message()?;
    let opportunity = event
        .opportunity_id
        .parse()
        .map_err(|_| HandlerError::permanent("opportunity_id is invalid"))?;
    let facts = TemplateFacts {
        opportunity_id: event.opportunity_id,
        round: event.round,
        review_case_id: event.review_case_id,
        partner: event.account_id,
        ..TemplateFacts::default()
    };
    Ok(PreparedNotification {
        kind: NotificationKind::ReviewRequested,
        related: RelatedRecords {
            opportunity: Some(opportunity),
            connection_invitation: None,
        },
        concerned_members: Vec::new(),
        contacts: Vec::new(),
        reviewer: event.assignee_member_id.parse().ok(),
        facts,
    })
}
