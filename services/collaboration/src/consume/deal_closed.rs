use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_store::Tx;
use cosell_types::Clock;

use crate::store;

/// A deal is over, and so is its channel (CHN-013).
pub async fn apply(tx: &mut Tx, delivery: &Delivery, clock: &Clock) -> Result<(), Fault> {
    let event: opportunity::OpportunityStageChanged = delivery.message()?;
    if !matches!(
        event.stage(),
        opportunity::Stage::Launched | opportunity::Stage::ClosedLost
    ) {
        return Ok(());
    }
    let opportunity = event
        .opportunity_id
        .parse()
        .map_err(|_| Fault::permanent("opportunity_id"))?;
    let Some(mut channel) = store::open_channel(tx, &delivery.account, opportunity).await? else {
        return Ok(());
    };
    let now = clock.now();
    let event = channel
        .archive(now)
        .map_err(|rule| Fault::Bug(rule.to_string()))?;
    Ok(store::save_channel(tx, &channel, &[event], delivery.cause(now)).await?)
}
