use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_types::{ClosedList as _, RejectionReason};

use super::Api;
use crate::load::LoadedOffer;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::RejectReferralOfferRequest>,
) -> Result<pb::RejectReferralOfferResponse, Failure> {
    let message = &call.message;
    let id = &message.referral_offer_id;
    let member = call.member()?;
    let now = api.clock.now();
    let reason = RejectionReason::from_number(message.reason);
    let reason = reason.ok_or_else(|| Failure::internal("the validated request has no reason"))?;
    let rejected = change(
        &api.db,
        &call,
        (id, &message.etag),
        now,
        async |_, loaded: &mut LoadedOffer| {
            let event = loaded
                .offer
                .reject(&member.id, reason, message.text.clone().into(), now);
            let event = event.map_err(|rule| status::rule_violated(rule, id))?;
            loaded.content = None;
            Ok(Some(event))
        },
    )
    .await?;
    Ok(pb::RejectReferralOfferResponse {
        referral_offer: Some(convert::offer(&rejected.offer, rejected.content)?),
    })
}
