use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::begin;
use prost::Message as _;

use super::Api;
use crate::domain::values::{PayloadType, ReferralOfferState};
use crate::status;
use crate::store;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetAcceptedOpportunityRequest>,
) -> Result<pb::GetAcceptedOpportunityResponse, Failure> {
    let id = &call.message.referral_offer_id;
    let not_found = || status::offer_not_found(id);
    let referral_offer_id = id.parse().map_err(|_| not_found())?;
    let mut tx = begin(&api.db, &call).await?;
    let offer = store::load_any_offer(&mut tx, &referral_offer_id).await?;
    let offer = offer
        .filter(|offer| {
            offer.state() == ReferralOfferState::Accepted
                && offer.payload_type() == PayloadType::OpportunityInvitation
        })
        .ok_or_else(not_found)?;
    let content = store::load_content(&mut tx, &offer).await?;
    let content = content.ok_or_else(|| Failure::internal("the accepted offer has no content"))?;
    pb::GetAcceptedOpportunityResponse::decode(content.as_slice()).map_err(Failure::internal)
}
