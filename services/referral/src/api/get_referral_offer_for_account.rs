use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral_offer::Payload;
use cosell_store::Scope;
use cosell_types::{AccountId, ClosedList as _};
use prost::Message as _;

use super::Api;
use crate::{convert, status, store};

/// Returns the offer to the account, also a rejected or expired one, but its content only while the account can read
/// it, and not the name of a classified customer, because the caller sends e-mails (OPP-017, REF-057).
pub async fn handle(
    api: &Api,
    call: Call<pb::GetReferralOfferForAccountRequest>,
) -> Result<pb::GetReferralOfferForAccountResponse, Failure> {
    let id = &call.message.referral_offer_id;
    let not_found = || status::offer_not_found(id);
    let account: AccountId = call.message.account_id.parse().map_err(|_| not_found())?;
    let offer_id = id.parse().map_err(|_| not_found())?;
    let mut tx = api
        .db
        .tx(&Scope::account(&account).in_class(call.caller.class()))
        .await?;
    let loaded = store::load_offer(&mut tx, &account, &offer_id).await?;
    let (offer, excerpt) = loaded.ok_or_else(not_found)?;
    let now = api.clock.now();
    let excerpt = excerpt.filter(|_| offer.is_content_visible_at(now));
    let content = store::load_content(&mut tx, &offer).await?;
    let mut message = pb::ReferralOffer {
        state: offer.state_at(now).number(),
        ..convert::offer(&offer, excerpt)?
    };
    if let (Some(Payload::Opportunity(shown)), Some(content)) = (&mut message.payload, content) {
        let content = pb::GetAcceptedOpportunityResponse::decode(content.as_slice());
        let opportunity = content
            .map_err(Failure::internal)?
            .opportunity
            .unwrap_or_default();
        if opportunity.national_security() {
            shown.customer_company_name.clear();
        }
    }
    Ok(pb::GetReferralOfferForAccountResponse {
        referral_offer: Some(message),
    })
}
