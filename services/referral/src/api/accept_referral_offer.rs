use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_types::random;

use super::Api;
use crate::load::LoadedOffer;
use crate::write::{change, new_lead_id};
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::AcceptReferralOfferRequest>,
) -> Result<pb::AcceptReferralOfferResponse, Failure> {
    let message = &call.message;
    let id = &message.referral_offer_id;
    let member = call.member()?;
    let now = api.clock.now();
    let accepted = change(
        &api.db,
        &call,
        (id, &message.etag),
        now,
        async |_, loaded: &mut LoadedOffer| {
            let (opportunity, lead) = (random::opportunity_id(now), new_lead_id()?);
            let event = loaded.offer.accept(&member.id, opportunity, lead, now);
            event.map(Some).map_err(|rule| status::rule_violated(rule, id))
        },
    )
    .await?;
    let offer = convert::accepted_offer(&accepted.offer, accepted.content, message.validate_only)?;
    Ok(pb::AcceptReferralOfferResponse {
        referral_offer: Some(offer),
    })
}
