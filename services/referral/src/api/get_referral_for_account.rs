use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::Scope;
use cosell_types::AccountId;

use super::Api;
use crate::{convert, status, store};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetReferralForAccountRequest>,
) -> Result<pb::GetReferralForAccountResponse, Failure> {
    let id = &call.message.referral_id;
    let not_found = || status::referral_not_found(id);
    let account: AccountId = call.message.account_id.parse().map_err(|_| not_found())?;
    let referral_id = id.parse().map_err(|_| not_found())?;
    let mut tx = api
        .db
        .tx(&Scope::account(&account).in_class(call.caller.class()))
        .await?;
    let loaded = store::load_referral(&mut tx, &account, &referral_id).await?;
    let (referral, content) = loaded.ok_or_else(not_found)?;
    let offers = store::load_offers_of(&mut tx, &account, std::slice::from_ref(&referral)).await?;
    Ok(pb::GetReferralForAccountResponse {
        referral: Some(convert::referral(&referral, &content, &offers)?),
    })
}
