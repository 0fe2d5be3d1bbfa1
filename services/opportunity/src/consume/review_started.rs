use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::review::v1::ReviewStarted;
use cosell_store::Tx;
use cosell_types::{Clock, OpportunityId};

use super::PreparedReviewEvent;

pub fn prepare(delivery: &Delivery) -> Result<PreparedReviewEvent, HandlerError> {
    let event: ReviewStarted = delivery.message()?;
    let opportunity = event
        .opportunity_id
        .parse()
        .map_err(|_| HandlerError::permanent("the event has an invalid opportunity_id"))?;
    Ok(PreparedReviewEvent::Started {
        opportunity,
        round: event.round,
    })
}

pub async fn apply(
    tx: &mut Tx,
    delivery: &Delivery,
    clock: &Clock,
    opportunity: OpportunityId,
    round: i32,
) -> Result<(), HandlerError> {
    super::change_opportunity(tx, delivery, clock, opportunity, |record| {
        record.start_review(round, clock.now())
    })
    .await?;
    Ok(())
}
