use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::partner::v1::{ConnectionEstablished, ConnectionEventDetail, ConnectionType};
use cosell_store::Tx;

use crate::store;

/// Whose entities deals may name besides those of the own account (OPP-048).
pub async fn apply(
    tx: &mut Tx,
    delivery: &Delivery,
    connection: &ConnectionEventDetail,
) -> Result<(), Fault> {
    if connection.connection_type() != ConnectionType::Subsidiary {
        return Ok(());
    }
    let other = connection
        .other_account_id
        .parse()
        .map_err(|_| Fault::permanent("other_account_id"))?;
    let is_active = delivery.is::<ConnectionEstablished>();
    let id = &connection.connection_id;
    store::put_subsidiary(tx, &delivery.account, &other, id, is_active).await?;
    Ok(())
}
