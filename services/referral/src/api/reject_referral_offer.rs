use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::{ClosedList as _, RejectionReason};

use super::visible::{conclude, offered};
use super::{Api, convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::RejectReferralOfferRequest>,
) -> Result<pb::RejectReferralOfferResponse, Failure> {
    let message = &call.message;
    let id = &message.referral_offer_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let (mut offer, mut shown) = offered(&mut tx, &api, &call, id).await?;
    if claimed == Claim::New {
        etags::check(&message.etag, offer.revision())?;
        let reason = RejectionReason::from_number(message.reason)
            .ok_or_else(|| Failure::internal("validated, but no reason"))?;
        let event = offer
            .reject(
                &call.member()?.id,
                reason,
                message.text.clone().into(),
                api.clock.now(),
            )
            .map_err(|rule| status::broken(rule, id))?;
        conclude(tx, &call, &offer, event).await?;
        shown = None;
    }
    Ok(pb::RejectReferralOfferResponse {
        referral_offer: Some(convert::offer(&offer, shown)?),
    })
}
