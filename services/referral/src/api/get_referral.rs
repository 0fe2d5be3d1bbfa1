use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::store;
use crate::{convert, status};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetReferralRequest>,
) -> Result<pb::GetReferralResponse, Failure> {
    let id = &call.message.referral_id;
    let not_found = || status::referral_not_found(id);
    let referral_id = id.parse().map_err(|_| not_found())?;
    let account = &call.member()?.account;
    let mut tx = begin(&api.db, &call).await?;
    let loaded = store::load_referral(&mut tx, account, &referral_id).await?;
    let (referral, content) = loaded.ok_or_else(not_found)?;
    let offers = store::load_offers_of(&mut tx, account, std::slice::from_ref(&referral)).await?;
    Ok(pb::GetReferralResponse {
        referral: Some(convert::referral(&referral, &content, &offers)?),
    })
}
