use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::random;

use super::visible::{conclude, new_lead_id, offered};
use super::{Api, convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::AcceptReferralOfferRequest>,
) -> Result<pb::AcceptReferralOfferResponse, Failure> {
    let message = &call.message;
    let id = &message.referral_offer_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let (mut offer, shown) = offered(&mut tx, &api, &call, id).await?;
    if claimed == Claim::New {
        etags::check(&message.etag, offer.revision())?;
        let now = api.clock.now();
        let event = offer
            .accept(
                &call.member()?.id,
                random::opportunity_id(now),
                new_lead_id()?,
                now,
            )
            .map_err(|rule| status::broken(rule, id))?;
        conclude(tx, &call, &offer, event).await?;
    }
    Ok(pb::AcceptReferralOfferResponse {
        referral_offer: Some(convert::answered(&offer, shown, message.validate_only)?),
    })
}
