use cosell_events::{Delivery, Fault};
use cosell_grpc::MAX_RESPONSE;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::review::v1::review_service_client::ReviewServiceClient;
use cosell_store::Tx;
use cosell_types::{Clock, ClosedList as _, OpportunityId};

use super::{Change, FromReview};
use crate::domain::values::ReviewReason;
use crate::domain::{Decision, Outcome};

/// The remarks are not in the event, because they may name people; they are read where they are kept.
pub async fn prepare(handler: &FromReview, delivery: &Delivery) -> Result<Change, Fault> {
    let event: review::ReviewDecided = delivery.message()?;
    let opportunity = event
        .opportunity_id
        .parse()
        .map_err(|_| Fault::permanent("opportunity_id"))?;
    let reason = ReviewReason::from_number(event.reason).ok_or_else(|| Fault::permanent("reason"));
    let outcome = match event.decision() {
        review::Decision::Approve => Outcome::Approved,
        review::Decision::ActionRequired => Outcome::ActionRequired(reason?),
        review::Decision::Reject => Outcome::Rejected(reason?),
        review::Decision::Unspecified => return Err(Fault::permanent("decision")),
    };
    let request = handler.review.request(review::GetReviewCaseRequest {
        review_case_id: event.review_case_id,
    })?;
    let answer = ReviewServiceClient::new(handler.review.channel())
        .max_decoding_message_size(MAX_RESPONSE)
        .get_review_case(request)
        .await;
    let case = answer
        .map_err(|status| Fault::from_status(&status))?
        .into_inner()
        .review_case
        .unwrap_or_default();
    let round = case.rounds.into_iter().find(|round| round.round == event.round);
    let remarks = round
        .ok_or_else(|| Fault::Bug("the case lacks the decided round".to_owned()))?
        .remarks;
    Ok(Change::Decided {
        opportunity,
        round: event.round,
        decision: Decision {
            outcome,
            remarks: remarks.into(),
        },
    })
}

pub async fn apply(
    tx: &mut Tx,
    delivery: &Delivery,
    clock: &Clock,
    opportunity: OpportunityId,
    round: i32,
    decision: Decision,
) -> Result<(), Fault> {
    super::change(tx, delivery, clock, opportunity, |record| {
        record.decided(round, decision, clock.now())
    })
    .await
}
