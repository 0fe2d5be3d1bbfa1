use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::accept_referral_offer_result::Result as Outcome;
use cosell_store::{Claim, begin, claim, commit};
use cosell_types::{OpportunityId, random};

use super::Api;
use crate::domain::OfferEvent;
use crate::domain::values::ReferralOfferState;
use crate::events::CONTEXT;
use crate::load::{LoadedOffer, load_offer};
use crate::store;
use crate::write::{create_accepted_lead, new_lead_id};
use crate::{convert, status};

/// Accepts in one transaction all offers that can be accepted. The result of each other offer is its error (REF-032).
pub async fn handle(
    api: Api,
    call: Call<pb::BatchAcceptReferralOffersRequest>,
) -> Result<pb::BatchAcceptReferralOffersResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let mut tx = begin(&api.db, &call).await?;
    let is_new = claim(&mut tx, &call, "").await? == Claim::New;
    let now = api.clock.now();
    let (mut results, mut accepted, mut ids) = (Vec::new(), 0, BTreeSet::new());
    for id in &message.referral_offer_ids {
        let outcome = match load_offer(&mut tx, &call, id, now).await {
            Err(failure) => Err(failure),
            // A replay returns the offers as they are now.
            Ok(LoadedOffer { offer, content })
                if !is_new && offer.state() == ReferralOfferState::Accepted =>
            {
                Ok((offer, content))
            }
            Ok(LoadedOffer { mut offer, content }) => {
                let accepted = offer.accept(
                    &member.id,
                    unused_opportunity_id(&mut ids, now),
                    new_lead_id()?,
                    now,
                );
                accepted
                    .map(|_| (offer, content))
                    .map_err(|rule| status::rule_violated(rule, id))
            }
        };
        results.push((id, outcome));
    }
    if is_new {
        let cause = Cause::of(&call, now);
        for (offer, _) in results.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()) {
            store::save_offer(&mut tx, offer, OfferEvent::Accepted, cause).await?;
            accepted += 1;
        }
        for (offer, _) in results.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()) {
            create_accepted_lead(&mut tx, offer, cause).await?;
        }
        commit(tx, &call, CONTEXT, &vec![OfferEvent::Accepted.name(); accepted]).await?;
    }
    let results = results.into_iter().map(|(id, outcome)| {
        let outcome = match outcome {
            Ok((offer, content)) => {
                Outcome::ReferralOffer(convert::accepted_offer(&offer, content, message.validate_only)?)
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

/// Generates an id that is not in the set, and adds it. Ids generated at the same time differ in 22 random bits only.
fn unused_opportunity_id(ids: &mut BTreeSet<OpportunityId>, now: DateTime<Utc>) -> OpportunityId {
    loop {
        let id = random::opportunity_id(now);
        if ids.insert(id) {
            return id;
        }
    }
}
