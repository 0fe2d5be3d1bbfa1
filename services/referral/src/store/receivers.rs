use cosell_members::account_summary;
use cosell_proto::cosell::partner::v1::PartnerTier;
use cosell_store::{Error, Scope, Tx};
use cosell_types::AccountId;

use crate::domain::Receiver;

/// Loads a receiver from the replica of the directory. Leaves the transaction in the scope of that account.
pub async fn load_receiver(tx: &mut Tx, account: &AccountId) -> Result<Receiver, Error> {
    tx.switch_scope(&Scope::account(account)).await?;
    let state = account_summary(tx, account).await?;
    Ok(state.map_or_else(Receiver::default, |state| Receiver {
        is_partner: state.is_partner,
        is_active: state.is_active,
        terms_accepted: state.terms_accepted,
        tier: PartnerTier::from_str_name(&format!("PARTNER_TIER_{}", state.tier)).map_or(0, i32::from),
    }))
}
