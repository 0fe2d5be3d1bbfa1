use cosell_events::{Delivery, Fault};
use cosell_proto::cosell::collaboration::v1 as collaboration;
use cosell_proto::cosell::r#type::v1::ParticipantType;
use cosell_store::{Scope, Tx};
use cosell_types::{AccountId, Clock};

use crate::domain::Opportunity;
use crate::store;

/// A partner accepted a deal that another one shares: it has a copy of it. Both records are here, so the event's ids
/// are all that is needed. The other's record is held: whatever is decided of it meanwhile finds the copy (OPP-092).
pub async fn apply(tx: &mut Tx, delivery: &Delivery, clock: &Clock) -> Result<(), Fault> {
    let event: collaboration::EngagementInvitationAccepted = delivery.message()?;
    let invitation = event.detail.unwrap_or_default();
    if invitation.participant_type() != ParticipantType::Receiver {
        return Ok(());
    }
    let wrong = |field: &'static str| move |_| Fault::permanent(field);
    let sender: AccountId = invitation
        .sender_account_id
        .parse()
        .map_err(wrong("sender_account_id"))?;
    let source = event
        .source_opportunity_id
        .parse()
        .map_err(wrong("source_opportunity_id"))?;
    let id = invitation
        .opportunity_id
        .parse()
        .map_err(wrong("opportunity_id"))?;
    let by = invitation.answered_by.parse().map_err(wrong("answered_by"))?;
    let now = clock.now();
    tx.act_for(&Scope::account(&sender)).await?;
    let shared = store::load_held(tx, &sender, source).await?;
    let gone = || Fault::Bug("what was shared is gone".to_owned());
    let mut shared = shared.ok_or_else(gone)?;
    if !shared.is_shareable() {
        let earlier = store::load_last_shareable(tx, &sender, source).await?;
        shared = shared.saying(earlier.ok_or_else(gone)?);
    }
    let account = delivery.account.clone();
    let invitation = &invitation.engagement_invitation_id;
    let (copy, happened) = Opportunity::shared(id, account, by, invitation, &shared, now);
    if let Some(source) = copy.source() {
        store::copies::add(tx, &copy, source).await?;
    }
    tx.act_for(&Scope::account(&delivery.account)).await?;
    store::save(tx, &copy, &happened, delivery.cause(now)).await?;
    Ok(())
}
