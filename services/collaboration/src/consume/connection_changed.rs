use chrono::{DateTime, Utc};
use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::partner::v1::{ConnectionEstablished, ConnectionEventDetail, ConnectionType};
use cosell_store::{Scope, Tx};
use cosell_types::AccountId;

use crate::store;

/// Whom a company may share with; what it has asked another one that it is not connected with any more is taken back
/// (COL-002, COL-014). Each of the two companies has an event of its own, for what it has sent.
pub async fn apply(
    tx: &mut Tx,
    delivery: &Delivery,
    connection: &ConnectionEventDetail,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    if connection.connection_type() != ConnectionType::OpportunityCollaboration {
        return Ok(());
    }
    let other: AccountId = connection
        .other_account_id
        .parse()
        .map_err(|_| Fault::permanent("other_account_id"))?;
    let is_active = delivery.is::<ConnectionEstablished>();
    let sender = &delivery.account;
    store::put_connection(tx, sender, &other, &connection.connection_id, is_active).await?;
    if is_active || store::is_connected(tx, sender, &other).await? {
        return Ok(());
    }
    for (id, engagement) in store::pending_between(tx, sender, &other).await? {
        let engagement = store::lock_engagement(tx, sender, &engagement).await?;
        tx.act_for(&Scope::account(&other)).await?;
        let invitation = store::load_own_invitation(tx, &other, &id).await?;
        let (Some(mut engagement), Some(mut invitation)) = (engagement, invitation) else {
            return Err(Fault::Bug(
                "an invitation to an engagement that is gone".to_owned(),
            ));
        };
        let cause = delivery.cause(now);
        let event = match invitation.expire(now) {
            Some(event) => event,
            None => match invitation.cancel(None, now) {
                Ok(event) => event,
                // It was answered a moment ago.
                Err(_) => continue,
            },
        };
        store::save_invitation(tx, &invitation, event, cause).await?;
        let happened: Vec<_> = engagement
            .invitation_ended(&invitation, None, now)
            .into_iter()
            .collect();
        store::save_engagement(tx, &engagement, &happened, cause).await?;
    }
    Ok(tx.act_for(&Scope::account(sender)).await?)
}
