use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::partner::v1::{ConnectionChanged, ConnectionStatus, ConnectionType};
use cosell_store::Tx;

use crate::store;

/// Whose entities deals may name besides those of the own account (OPP-048).
pub async fn apply(tx: &mut Tx, delivery: &Delivery) -> Result<(), Fault> {
    let event: ConnectionChanged = delivery.message()?;
    if event.r#type() != ConnectionType::Subsidiary {
        return Ok(());
    }
    let other = event
        .other_account_id
        .parse()
        .map_err(|_| Fault::permanent("other_account_id"))?;
    let is_active = event.type_status() == ConnectionStatus::Active;
    store::put_subsidiary(tx, &delivery.account, &other, &event.connection_id, is_active).await?;
    Ok(())
}
