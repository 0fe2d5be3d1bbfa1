use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::opportunity::v1::OpportunitySubmissionWithdrawn;
use cosell_store::Tx;
use cosell_types::{Clock, OpportunityId};

use super::Change;
use crate::store;

pub fn prepare(delivery: &Delivery) -> Result<Change, Fault> {
    let event: OpportunitySubmissionWithdrawn = delivery.message()?;
    let opportunity = event
        .opportunity_id
        .parse()
        .map_err(|_| Fault::permanent("opportunity_id"))?;
    Ok(Change::Withdrawn {
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
    let case = store::load_of_opportunity(tx, &delivery.account, opportunity).await?;
    let mut case = case.ok_or_else(|| Fault::permanent("a withdrawal of what was never submitted"))?;
    let now = clock.now();
    match case.withdrawn(round, now) {
        Some(event) => Ok(store::save(tx, &case, &event, delivery.cause(now)).await?),
        None => Ok(()),
    }
}
