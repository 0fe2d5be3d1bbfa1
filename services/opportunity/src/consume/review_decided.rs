use cosell_events::{Delivery, HandlerError};
use cosell_grpc::MAX_RESPONSE;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::review::v1::review_service_client::ReviewServiceClient;
use cosell_store::{Scope, Tx};
use cosell_types::{Clock, ClosedList as _, OpportunityId};

use super::{PreparedReviewEvent, ReviewEvents};
use crate::domain::values::ReviewReason;
use crate::domain::{Decision, ReviewOutcome};
use crate::store;

/// Reads the review comments from review. The event omits them because they can contain personal data.
pub async fn prepare(
    handler: &ReviewEvents,
    delivery: &Delivery,
) -> Result<PreparedReviewEvent, HandlerError> {
    let event: review::ReviewDecided = delivery.message()?;
    let opportunity = event
        .opportunity_id
        .parse()
        .map_err(|_| HandlerError::permanent("the event has an invalid opportunity_id"))?;
    let reason = ReviewReason::from_number(event.reason)
        .ok_or_else(|| HandlerError::permanent("the event has an invalid reason"));
    let outcome = match event.decision() {
        review::ReviewDecision::Approve => ReviewOutcome::Approved,
        review::ReviewDecision::ActionRequired => ReviewOutcome::ActionRequired(reason?),
        review::ReviewDecision::Reject => ReviewOutcome::Rejected(reason?),
        review::ReviewDecision::Unspecified => {
            return Err(HandlerError::permanent("the event has an invalid decision"));
        }
    };
    let request = handler.review.request(review::GetReviewCaseRequest {
        review_case_id: event.review_case_id,
    })?;
    let response = ReviewServiceClient::new(handler.review.channel())
        .max_decoding_message_size(MAX_RESPONSE)
        .get_review_case(request)
        .await;
    let case = response
        .map_err(|status| HandlerError::from_status(&status))?
        .into_inner()
        .review_case
        .unwrap_or_default();
    let round = case.rounds.into_iter().find(|round| round.round == event.round);
    let round =
        round.ok_or_else(|| HandlerError::Bug("the review case lacks the decided round".to_owned()))?;
    Ok(PreparedReviewEvent::Decided {
        opportunity,
        round: event.round,
        decision: Decision {
            outcome,
            remarks: round.review_comments.into(),
            fields_to_correct: round.fields_to_correct,
        },
    })
}

/// Applies the decision to the record and to its shared copies. Ignores a decision of a closed submission round
/// (OPP-033).
pub async fn apply(
    tx: &mut Tx,
    delivery: &Delivery,
    clock: &Clock,
    opportunity: OpportunityId,
    round: i32,
    decision: Decision,
) -> Result<(), HandlerError> {
    let outcome = decision.outcome;
    let changed = super::change_opportunity(tx, delivery, clock, opportunity, |record| {
        record.apply_decision(round, decision, clock.now())
    });
    if changed.await? {
        apply_to_copies(tx, delivery, clock, opportunity, outcome).await?;
    }
    Ok(())
}

/// Applies the decision to the shared copies of the record (OPP-092). The record was saved before, under its lock: a
/// copy that is created concurrently either is found here or reads the decided record.
async fn apply_to_copies(
    tx: &mut Tx,
    delivery: &Delivery,
    clock: &Clock,
    opportunity: OpportunityId,
    outcome: ReviewOutcome,
) -> Result<(), HandlerError> {
    let copies = store::list_copies(tx, &delivery.account, opportunity).await?;
    for (account, id) in copies {
        tx.switch_scope(&Scope::account(&account)).await?;
        let now = clock.now();
        let Some(mut copy) = store::load_opportunity(tx, &account, id).await? else {
            continue;
        };
        if let Some(event) = copy.apply_source_decision(outcome, now) {
            store::save_opportunity(tx, &copy, &event, delivery.cause(now)).await?;
        }
    }
    Ok(tx.switch_scope(&Scope::account(&delivery.account)).await?)
}
