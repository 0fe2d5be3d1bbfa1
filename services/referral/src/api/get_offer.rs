use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;

use super::visible::offered;
use super::{Api, convert};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetReferralOfferRequest>,
) -> Result<pb::GetReferralOfferResponse, Failure> {
    let mut tx = api.begin(&call).await?;
    let (offer, shown) = offered(&mut tx, api, &call, &call.message.referral_offer_id).await?;
    Ok(pb::GetReferralOfferResponse {
        referral_offer: Some(convert::offer(&offer, shown)?),
    })
}
