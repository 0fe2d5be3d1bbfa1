use cosell_events::{Delivery, HandlerError};
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::r#type::v1::ParticipantType;
use cosell_store::{Scope, Tx};
use cosell_types::{AccountId, Clock};

use crate::domain::Opportunity;
use crate::store;

/// Creates the shared copy of the account that accepted the invitation (OPP-092). The sender's record is locked, so a
/// concurrent review decision waits and then finds the copy.
pub async fn apply(tx: &mut Tx, delivery: &Delivery, clock: &Clock) -> Result<(), HandlerError> {
    let event: collaboration::EngagementInvitationAccepted = delivery.message()?;
    let invitation = event.detail.unwrap_or_default();
    if invitation.participant_type() != ParticipantType::Receiver {
        return Ok(());
    }
    let invalid = |field: &'static str| move |_| HandlerError::permanent(field);
    let sender: AccountId = invitation
        .sender_account_id
        .parse()
        .map_err(invalid("sender_account_id"))?;
    let source_id = event
        .source_opportunity_id
        .parse()
        .map_err(invalid("source_opportunity_id"))?;
    let id = invitation
        .opportunity_id
        .parse()
        .map_err(invalid("opportunity_id"))?;
    let member = invitation.answered_by.parse().map_err(invalid("answered_by"))?;
    let now = clock.now();
    tx.switch_scope(&Scope::account(&sender)).await?;
    let source = store::lock_opportunity(tx, &sender, source_id).await?;
    let not_found = || HandlerError::Bug("the shared opportunity does not exist".to_owned());
    let mut source = source.ok_or_else(not_found)?;
    if !source.is_shareable() {
        let shareable = store::load_last_shareable_revision(tx, &sender, source_id).await?;
        source = source.with_content_of(shareable.ok_or_else(not_found)?);
    }
    let account = delivery.account.clone();
    let invitation = &invitation.engagement_invitation_id;
    let (copy, event) = Opportunity::create_shared_copy(id, account, member, invitation, &source, now);
    if let Some(source) = copy.shared_from() {
        store::insert_copy(tx, &copy, source).await?;
    }
    tx.switch_scope(&Scope::account(&delivery.account)).await?;
    store::save_opportunity(tx, &copy, &event, delivery.cause(now)).await?;
    Ok(())
}
