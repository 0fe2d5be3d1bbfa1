use cosell_events::{Delivery, Fault};
use cosell_grpc::MAX_RESPONSE;
use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::review::v1::review_service_client::ReviewServiceClient;
use cosell_store::{Scope, Tx};
use cosell_types::{Clock, ClosedList as _, OpportunityId};

use super::{Change, FromReview};
use crate::domain::values::ReviewReason;
use crate::domain::{Decision, Outcome};
use crate::store;

/// The remarks are not in the event, because they may name people; they are read where they are kept.
pub async fn prepare(handler: &FromReview, delivery: &Delivery) -> Result<Change, Fault> {
    let event: review::ReviewDecided = delivery.message()?;
    let opportunity = event
        .opportunity_id
        .parse()
        .map_err(|_| Fault::permanent("opportunity_id"))?;
    let reason = ReviewReason::from_number(event.reason).ok_or_else(|| Fault::permanent("reason"));
    let outcome = match event.decision() {
        review::ReviewDecision::Approve => Outcome::Approved,
        review::ReviewDecision::ActionRequired => Outcome::ActionRequired(reason?),
        review::ReviewDecision::Reject => Outcome::Rejected(reason?),
        review::ReviewDecision::Unspecified => return Err(Fault::permanent("decision")),
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
    let round = round.ok_or_else(|| Fault::Bug("the case lacks the decided round".to_owned()))?;
    Ok(Change::Decided {
        opportunity,
        round: event.round,
        decision: Decision {
            outcome,
            remarks: round.review_comments.into(),
            fields_to_correct: round.fields_to_correct,
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
    let outcome = decision.outcome;
    let decided = super::change(tx, delivery, clock, opportunity, |record| {
        record.decided(round, decision, clock.now())
    });
    if decided.await? {
        follow(tx, delivery, clock, opportunity, outcome).await?;
    }
    Ok(())
}

/// What was decided of a record holds for its copies (OPP-092). The record was written first: a copy that is being
/// made reads it before or after, and in either case ends up where it stands.
async fn follow(
    tx: &mut Tx,
    delivery: &Delivery,
    clock: &Clock,
    opportunity: OpportunityId,
    outcome: Outcome,
) -> Result<(), Fault> {
    let copies = store::copies::of(tx, &delivery.account, opportunity).await?;
    for (account, id) in copies {
        tx.act_for(&Scope::account(&account)).await?;
        let now = clock.now();
        let Some(mut copy) = store::load(tx, &account, id).await? else {
            continue;
        };
        if let Some(event) = copy.follow(outcome, now) {
            store::save(tx, &copy, &event, delivery.cause(now)).await?;
        }
    }
    Ok(tx.act_for(&Scope::account(&delivery.account)).await?)
}
