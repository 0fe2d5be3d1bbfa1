use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::review::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::ClosedList as _;

use super::{Api, conclude, existing, status, whole};
use crate::domain::values::{Decision, ReviewReason};

pub async fn handle(
    api: Api,
    call: Call<pb::DecideReviewRequest>,
) -> Result<pb::DecideReviewResponse, Failure> {
    let message = &call.message;
    let id = &message.review_case_id;
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let mut case = existing(&mut tx, id).await?;
    if claimed != Claim::New {
        return Ok(pb::DecideReviewResponse {
            review_case: Some(whole(&mut tx, &case).await?),
        });
    }
    etags::check(&message.etag, case.revision())?;
    let decision = Decision::from_number(message.decision)
        .ok_or_else(|| Failure::internal("validated, but no decision"))?;
    let reason = ReviewReason::from_number(message.reason);
    let event = case
        .decide(
            &member.id,
            decision,
            reason,
            message.review_comments.clone().into(),
            message.fields_to_correct.clone(),
            api.clock.now(),
        )
        .map_err(|rule| status::broken(rule, id))?;
    Ok(pb::DecideReviewResponse {
        review_case: Some(conclude(tx, &call, &case, &event).await?),
    })
}
