use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::Scope;
use cosell_types::{AccountId, ClosedList as _};

use super::Api;
use crate::{convert, status, store};

/// Returns the offer to the account, also a rejected or expired one, but its content only while the account can read
/// it (REF-057).
pub async fn handle(
    api: &Api,
    call: Call<pb::GetReferralOfferForAccountRequest>,
) -> Result<pb::GetReferralOfferForAccountResponse, Failure> {
    let id = &call.message.referral_offer_id;
    let not_found = || status::offer_not_found(id);
    let account: AccountId = call.message.account_id.parse().map_err(|_| not_found())?;
    let offer_id = id.parse().map_err(|_| not_found())?;
    let mut tx = api.db.tx(&Scope::account(&account)).await?;
    let loaded = store::load_offer(&mut tx, &account, &offer_id).await?;
    let (offer, excerpt) = loaded.ok_or_else(not_found)?;
    let now = api.clock.now();
    let excerpt = excerpt.filter(|_| offer.is_content_visible_at(now));
    Ok(pb::GetReferralOfferForAccountResponse {
        referral_offer: Some(pb::ReferralOffer {
            state: offer.state_at(now).number(),
            ..convert::offer(&offer, excerpt)?
        }),
    })
}
