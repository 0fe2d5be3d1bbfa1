use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::review::v1::ReviewRoundOpened;

use super::{Dependencies, PreparedNotification};
use crate::convert;
use crate::domain::values::NotificationKind;
use crate::domain::{RecordRef, ReviewFacts, TemplateFacts};

/// Names the opportunity as reviewers see it: as submitted, without what is hidden for a classified one. The event does
/// not carry the revision, which is the current one until the decision; a submission that was withdrawn since is not
/// visible to AWS, so that it has no name.
pub async fn prepare(
    dependencies: &Dependencies,
    delivery: &Delivery,
) -> Result<PreparedNotification, HandlerError> {
    let event: ReviewRoundOpened = delivery.message()?;
    let id = event
        .opportunity_id
        .parse()
        .map_err(|_| HandlerError::permanent("opportunity_id is invalid"))?;
    let peers = &dependencies.peers;
    let current = peers
        .find_current_as_aws(&event.account_id, &event.opportunity_id)
        .await?;
    let facts = TemplateFacts {
        project: convert::project(&current.opportunity.unwrap_or_default()),
        review: ReviewFacts {
            partner: peers.company_name(&event.account_id).await?,
            round: event.round,
            ..ReviewFacts::default()
        },
        records: vec![
            RecordRef::ReviewCase(event.review_case_id),
            RecordRef::Opportunity(event.opportunity_id),
        ],
        ..TemplateFacts::default()
    };
    Ok(PreparedNotification {
        reviewer: event.assignee_member_id.parse().ok(),
        ..PreparedNotification::of_opportunity(NotificationKind::ReviewRequested, Some(id), facts)
    })
}
