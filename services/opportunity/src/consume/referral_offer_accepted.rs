use cosell_events::{Delivery, Fault};
use cosell_grpc::MAX_RESPONSE;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::referral::v1::referral_internal_service_client::ReferralInternalServiceClient;
use cosell_store::Tx;
use cosell_types::{MemberId, OpportunityId, Violation};

use super::FromReferral;
use crate::api::convert;
use crate::domain::{Contact, Details, Facts, Opportunity, introduction};
use crate::store;

/// A deal that a partner accepted.
#[derive(Debug)]
pub struct Deal {
    opportunity: OpportunityId,
    offer: String,
    member: MemberId,
    details: Details,
    /// What of it cannot be read any more.
    found: Vec<Violation>,
    people: Vec<Contact>,
}

/// What the deal is is not in the event, because it names people; it is read where it is kept.
pub async fn prepare(handler: &FromReferral, delivery: &Delivery) -> Result<Option<Deal>, Fault> {
    let event: referral::ReferralOfferAccepted = delivery.message()?;
    if event.opportunity_id.is_empty() {
        // A lead was accepted, of which the partner may make an opportunity later.
        return Ok(None);
    }
    let opportunity = event.opportunity_id.parse();
    let member = event.answered_by.parse();
    let request = handler
        .referral
        .request(referral::GetAcceptedOpportunityRequest {
            referral_offer_id: event.referral_offer_id.clone(),
        })?;
    let answer = ReferralInternalServiceClient::new(handler.referral.channel())
        .max_decoding_message_size(MAX_RESPONSE)
        .get_accepted_opportunity(request)
        .await;
    let answer = answer.map_err(|status| Fault::from_status(&status))?.into_inner();
    let (details, found) = convert::details(&answer.opportunity.unwrap_or_default());
    Ok(Some(Deal {
        opportunity: opportunity.map_err(|_| Fault::permanent("opportunity_id"))?,
        offer: event.referral_offer_id,
        member: member.map_err(|_| Fault::permanent("member"))?,
        details,
        found,
        people: answer.sender_contacts.into_iter().map(convert::contact).collect(),
    }))
}

/// The record, with AWS's people beside it.
pub async fn apply(
    tx: &mut Tx,
    handler: &FromReferral,
    delivery: &Delivery,
    deal: Deal,
) -> Result<(), Fault> {
    let now = handler.clock.now();
    let facts = Facts::none(&handler.policy);
    let account = delivery.account.clone();
    let (record, event, found) = Opportunity::referred(
        deal.opportunity,
        account,
        deal.member,
        &deal.offer,
        deal.details,
        &facts,
        now,
    );
    // It was checked when it was offered; what a rule that came later says is for people to mend.
    for wrong in deal.found.iter().chain(&found) {
        tracing::warn!(
            opportunity.id = %record.id(),
            field = wrong.field,
            code = wrong.code.as_str(),
            "an accepted deal breaks a rule that it kept when it was offered"
        );
    }
    store::save(tx, &record, &event, delivery.cause(now)).await?;
    match introduction(&record, deal.people, &handler.policy, now) {
        Ok((summary, changed)) if !changed.is_empty() => {
            store::save_aws_summary(tx, &summary, &changed, delivery.cause(now)).await?;
        }
        Ok(_) => {}
        Err(_) => {
            tracing::warn!(opportunity.id = %record.id(), "an accepted deal names nobody of AWS any more")
        }
    }
    Ok(())
}
