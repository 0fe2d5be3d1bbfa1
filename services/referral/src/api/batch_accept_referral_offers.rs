use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::accept_referral_offer_result::Result as Outcome;
use cosell_store::{Claim, claim};
use cosell_types::{OpportunityId, random};

use super::visible::{new_lead_id, offered, take_lead};
use super::{Api, convert, note, status};
use crate::domain::Event;
use crate::domain::values::ReferralOfferState;
use crate::store;

/// All that can be accepted are accepted together; the others say why not (REF-032).
pub async fn handle(
    api: Api,
    call: Call<pb::BatchAcceptReferralOffersRequest>,
) -> Result<pb::BatchAcceptReferralOffersResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let is_new = claim(&mut tx, &call, "").await? == Claim::New;
    let now = api.clock.now();
    let (mut results, mut accepted, mut ids) = (Vec::new(), 0, BTreeSet::new());
    for id in &message.referral_offer_ids {
        let outcome = match offered(&mut tx, &api, &call, id).await {
            Err(failure) => Err(failure),
            // Repeated, the call answers how they stand.
            Ok((offer, shown)) if !is_new && offer.state() == ReferralOfferState::Accepted => {
                Ok((offer, shown))
            }
            Ok((mut offer, shown)) => {
                let accepted = offer.accept(&member.id, another(&mut ids, now), new_lead_id()?, now);
                accepted
                    .map(|_| (offer, shown))
                    .map_err(|rule| status::broken(rule, id))
            }
        };
        results.push((id, outcome));
    }
    if is_new {
        let actor = call.caller.actor();
        let cause = Cause {
            actor: &actor,
            request_id: &call.tag.request_id,
            time: now,
        };
        for (offer, _) in results.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()) {
            store::save_offer(&mut tx, offer, Event::Accepted, cause).await?;
            accepted += 1;
        }
        for (offer, _) in results.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()) {
            take_lead(&mut tx, offer, cause).await?;
        }
        if !message.validate_only {
            tx.commit().await?;
            (0..accepted).for_each(|_| note(Event::Accepted.name()));
        }
    }
    let results = results.into_iter().map(|(id, outcome)| {
        let outcome = match outcome {
            Ok((offer, shown)) => {
                Outcome::ReferralOffer(convert::answered(&offer, shown, message.validate_only)?)
            }
            Err(failure) => Outcome::Error(failure.into_part(&call.tag)?),
        };
        Ok(pb::AcceptReferralOfferResult {
            referral_offer_id: id.clone(),
            result: Some(outcome),
        })
    });
    Ok(pb::BatchAcceptReferralOffersResponse {
        results: results.collect::<Result<_, Failure>>()?,
    })
}

/// An id that is not among these: those of one moment differ in 22 bits only.
fn another(ids: &mut BTreeSet<OpportunityId>, now: DateTime<Utc>) -> OpportunityId {
    loop {
        let id = random::opportunity_id(now);
        if ids.insert(id) {
            return id;
        }
    }
}
