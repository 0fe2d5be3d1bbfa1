use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_store::Tx;
use cosell_types::Clock;

use crate::store;

/// Archives the channel of an opportunity that was closed (CHN-013).
pub async fn apply(tx: &mut Tx, delivery: &Delivery, clock: &Clock) -> Result<(), HandlerError> {
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
        .map_err(|_| HandlerError::permanent("opportunity_id"))?;
    let Some(mut channel) = store::lock_open_channel(tx, &delivery.account, opportunity).await? else {
        return Ok(());
    };
    let now = clock.now();
    let event = channel
        .archive(now)
        .map_err(|rule| HandlerError::Bug(rule.to_string()))?;
    Ok(store::save_channel(tx, &channel, &[event], delivery.cause(now)).await?)
}
