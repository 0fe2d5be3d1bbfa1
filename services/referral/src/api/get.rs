use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;

use super::{Api, convert, status};
use crate::store;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetReferralRequest>,
) -> Result<pb::GetReferralResponse, Failure> {
    let id = &call.message.referral_id;
    let not_found = || status::referral_not_found(id);
    let referral_id = id.parse().map_err(|_| not_found())?;
    let account = &call.member()?.account;
    let mut tx = api.begin(&call).await?;
    let found = store::load_referral(&mut tx, account, &referral_id).await?;
    let (referral, content) = found.ok_or_else(not_found)?;
    let offers = store::offers_of(&mut tx, account, std::slice::from_ref(&referral)).await?;
    Ok(pb::GetReferralResponse {
        referral: Some(convert::referral(&referral, &content, &offers)?),
    })
}
