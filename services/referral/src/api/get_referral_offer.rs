use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::convert;
use crate::load::{LoadedOffer, load_offer};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetReferralOfferRequest>,
) -> Result<pb::GetReferralOfferResponse, Failure> {
    let mut tx = begin(&api.db, &call).await?;
    let id = &call.message.referral_offer_id;
    let LoadedOffer { offer, content } = load_offer(&mut tx, &call, id, api.clock.now()).await?;
    Ok(pb::GetReferralOfferResponse {
        referral_offer: Some(convert::offer(&offer, content)?),
    })
}
