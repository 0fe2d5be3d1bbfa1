use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::opportunity::v1::OpportunitySubmissionWithdrawn;
use cosell_store::Tx;
use cosell_types::{Clock, OpportunityId};

use super::CaseChange;
use crate::store;

pub fn prepare(delivery: &Delivery) -> Result<CaseChange, HandlerError> {
    let event: OpportunitySubmissionWithdrawn = delivery.message()?;
    let opportunity = event
        .opportunity_id
        .parse()
        .map_err(|_| HandlerError::permanent("opportunity_id is invalid"))?;
    Ok(CaseChange::Withdrawn {
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
    let case = store::load_case_of_opportunity(tx, &delivery.account, opportunity).await?;
    let mut case =
        case.ok_or_else(|| HandlerError::permanent("the withdrawn submission has no review case"))?;
    let now = clock.now();
    match case.withdraw(round, now) {
        Some(event) => Ok(store::save_case(tx, &case, &event, delivery.cause(now)).await?),
        None => Ok(()),
    }
}
