use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::review::v1::ReviewStarted;
use cosell_store::Tx;
use cosell_types::{Clock, OpportunityId};

use super::Change;

pub fn prepare(delivery: &Delivery) -> Result<Change, Fault> {
    let event: ReviewStarted = delivery.message()?;
    let opportunity = event
        .opportunity_id
        .parse()
        .map_err(|_| Fault::permanent("opportunity_id"))?;
    Ok(Change::Started {
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
) -> Result<(), Fault> {
    super::change(tx, delivery, clock, opportunity, |record| {
        record.review_started(round, clock.now())
    })
    .await?;
    Ok(())
}
