use cosell_members::account_standing;
use cosell_proto::cosell::partner::v1::PartnerTier;
use cosell_store::{Error, Scope, Tx};
use cosell_types::AccountId;

use crate::domain::Receiver;

/// What the directory says of a company. The transaction is for that company afterwards.
pub async fn receiver(tx: &mut Tx, account: &AccountId) -> Result<Receiver, Error> {
    tx.act_for(&Scope::account(account)).await?;
    let standing = account_standing(tx, account).await?;
    Ok(standing.map_or_else(Receiver::default, |standing| Receiver {
        is_partner: standing.is_partner,
        is_active: standing.is_active,
        terms_accepted: standing.terms_accepted,
        tier: PartnerTier::from_str_name(&format!("PARTNER_TIER_{}", standing.tier)).map_or(0, i32::from),
    }))
}
