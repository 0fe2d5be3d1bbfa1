use chrono::{DateTime, Utc};
use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::partner::v1::{ConnectionEstablished, ConnectionEventDetail, ConnectionType};
use cosell_store::{Scope, Tx};
use cosell_types::AccountId;

use crate::store;

/// Applies `ConnectionEstablished` and `ConnectionCanceled`: updates the replica of connections, and cancels the
/// pending invitations of accounts that are not connected any more (COL-002, COL-014). Each of the two accounts
/// receives its own event, which concerns the invitations that it has sent.
pub async fn apply(
    tx: &mut Tx,
    delivery: &Delivery,
    connection: &ConnectionEventDetail,
    now: DateTime<Utc>,
) -> Result<(), HandlerError> {
    if connection.connection_type() != ConnectionType::OpportunityCollaboration {
        return Ok(());
    }
    let other: AccountId = connection
        .other_account_id
        .parse()
        .map_err(|_| HandlerError::permanent("other_account_id"))?;
    let is_active = delivery.is::<ConnectionEstablished>();
    let sender = &delivery.account;
    store::save_connection(tx, sender, &other, &connection.connection_id, is_active).await?;
    if is_active || store::is_connected(tx, sender, &other).await? {
        return Ok(());
    }
    for (id, engagement) in store::list_pending_invitations(tx, sender, &other).await? {
        let engagement = store::lock_engagement(tx, sender, &engagement).await?;
        tx.switch_scope(&Scope::account(&other)).await?;
        let invitation = store::load_received_invitation(tx, &other, &id).await?;
        let (Some(mut engagement), Some(mut invitation)) = (engagement, invitation) else {
            return Err(HandlerError::Bug(
                "the engagement of an invitation does not exist".to_owned(),
            ));
        };
        let cause = delivery.cause(now);
        let event = match invitation.expire(now) {
            Some(event) => event,
            None => match invitation.cancel(None, now) {
                Ok(event) => event,
                // Answered concurrently.
                Err(_) => continue,
            },
        };
        store::save_invitation(tx, &invitation, event, cause).await?;
        let engagement_events: Vec<_> = engagement
            .invitation_ended(&invitation, None, now)
            .into_iter()
            .collect();
        store::save_engagement(tx, &engagement, &engagement_events, cause).await?;
    }
    Ok(tx.switch_scope(&Scope::account(sender)).await?)
}
