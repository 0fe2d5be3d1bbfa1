use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::partner::v1::{ConnectionEstablished, ConnectionEventDetail, ConnectionType};
use cosell_store::Tx;

use crate::store;

/// Saves whether the counterparty is a subsidiary, whose entities an opportunity can reference (OPP-048).
pub async fn apply(
    tx: &mut Tx,
    delivery: &Delivery,
    connection: &ConnectionEventDetail,
) -> Result<(), HandlerError> {
    if connection.connection_type() != ConnectionType::Subsidiary {
        return Ok(());
    }
    let other = connection
        .other_account_id
        .parse()
        .map_err(|_| HandlerError::permanent("the event has an invalid other_account_id"))?;
    let is_active = delivery.is::<ConnectionEstablished>();
    let id = &connection.connection_id;
    store::upsert_subsidiary(tx, &delivery.account, &other, id, is_active).await?;
    Ok(())
}
