use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use prost::Message as _;

use super::{Api, status};
use crate::domain::values::{PayloadType, ReferralOfferState};
use crate::store;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetAcceptedOpportunityRequest>,
) -> Result<pb::GetAcceptedOpportunityResponse, Failure> {
    let id = &call.message.referral_offer_id;
    let not_found = || status::offer_not_found(id);
    let referral_offer_id = id.parse().map_err(|_| not_found())?;
    let mut tx = api.begin(&call).await?;
    let offer = store::load_any_offer(&mut tx, &referral_offer_id).await?;
    let offer = offer
        .filter(|offer| {
            offer.state() == ReferralOfferState::Accepted
                && offer.payload_type() == PayloadType::OpportunityInvitation
        })
        .ok_or_else(not_found)?;
    let deal = store::load_deal(&mut tx, &offer).await?;
    let deal = deal.ok_or_else(|| Failure::internal("an accepted offer without its deal"))?;
    pb::GetAcceptedOpportunityResponse::decode(deal.as_slice()).map_err(Failure::internal)
}
