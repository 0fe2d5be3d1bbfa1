use cosell_events::{Delivery, HandlerError};
use cosell_grpc::MAX_RESPONSE;
use cosell_proto::cosell::referral::v1 as referral;
use cosell_proto::cosell::referral::v1::referral_internal_service_client::ReferralInternalServiceClient;
use cosell_store::Tx;
use cosell_types::{MemberId, OpportunityId, Violation};

use super::ReferralEvents;
use crate::convert;
use crate::domain::{Contact, Details, Facts, Opportunity, initial_aws_summary};
use crate::store;

/// A referral that a partner has accepted.
#[derive(Debug)]
pub struct AcceptedReferral {
    opportunity: OpportunityId,
    offer_id: String,
    member: MemberId,
    details: Details,
    /// Fields that can no longer be converted.
    violations: Vec<Violation>,
    sender_contacts: Vec<Contact>,
}

/// Reads the referred opportunity from referral. The event omits it because it contains personal data. Returns `None`
/// for an accepted lead, which the partner can convert later.
pub async fn prepare(
    handler: &ReferralEvents,
    delivery: &Delivery,
) -> Result<Option<AcceptedReferral>, HandlerError> {
    let event: referral::ReferralOfferAccepted = delivery.message()?;
    if event.opportunity_id.is_empty() {
        return Ok(None);
    }
    let opportunity = event.opportunity_id.parse();
    let member = event.answered_by.parse();
    let request = handler
        .referral
        .request(referral::GetAcceptedOpportunityRequest {
            referral_offer_id: event.referral_offer_id.clone(),
        })?;
    let response = ReferralInternalServiceClient::new(handler.referral.channel())
        .max_decoding_message_size(MAX_RESPONSE)
        .get_accepted_opportunity(request)
        .await;
    let response = response
        .map_err(|status| HandlerError::from_status(&status))?
        .into_inner();
    let (details, violations) = convert::details(&response.opportunity.unwrap_or_default());
    Ok(Some(AcceptedReferral {
        opportunity: opportunity
            .map_err(|_| HandlerError::permanent("the event has an invalid opportunity_id"))?,
        offer_id: event.referral_offer_id,
        member: member.map_err(|_| HandlerError::permanent("the event has an invalid member"))?,
        details,
        violations,
        sender_contacts: response
            .sender_contacts
            .into_iter()
            .map(convert::contact)
            .collect(),
    }))
}

/// Creates the opportunity, and its AWS summary with the sender contacts.
pub async fn apply(
    tx: &mut Tx,
    handler: &ReferralEvents,
    delivery: &Delivery,
    referral: AcceptedReferral,
) -> Result<(), HandlerError> {
    let now = handler.clock.now();
    let facts = Facts::without_references(&handler.policy);
    let account = delivery.account.clone();
    let (record, event, violations) = Opportunity::from_referral_offer(
        referral.opportunity,
        account,
        referral.member,
        &referral.offer_id,
        referral.details,
        &facts,
        now,
    );
    // The opportunity was valid when it was offered. Violations since then, for example a past close date, do not block
    // it: the partner corrects them (OPP-090).
    for violation in referral.violations.iter().chain(&violations) {
        tracing::warn!(
            opportunity.id = %record.id(),
            field = violation.field,
            code = violation.code.as_str(),
            "accepted referral violated a rule"
        );
    }
    store::save_opportunity(tx, &record, &event, delivery.cause(now)).await?;
    match initial_aws_summary(&record, referral.sender_contacts, &handler.policy, now) {
        Ok((summary, changed)) if !changed.is_empty() => {
            store::save_aws_summary(tx, &summary, &changed, delivery.cause(now)).await?;
        }
        Ok(_) => {}
        Err(_) => {
            tracing::warn!(
                opportunity.id = %record.id(),
                "AWS summary not created: sender contacts of the accepted referral were invalid"
            );
        }
    }
    Ok(())
}
