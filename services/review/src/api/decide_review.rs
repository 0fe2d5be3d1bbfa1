use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::review::v1 as pb;
use cosell_types::ClosedList as _;

use super::Api;
use crate::domain::values::{Decision, ReviewReason};
use crate::status;
use crate::write::change;

pub async fn handle(
    api: Api,
    call: Call<pb::DecideReviewRequest>,
) -> Result<pb::DecideReviewResponse, Failure> {
    let message = &call.message;
    let id = &message.review_case_id;
    let member = call.member()?;
    let decision = Decision::from_number(message.decision)
        .ok_or_else(|| Failure::internal("the validated request has no decision"))?;
    let reason = ReviewReason::from_number(message.reason);
    let case = change(&api.db, &call, (id, &message.etag), |case| {
        let (comments, fields) = (
            message.review_comments.clone().into(),
            message.fields_to_correct.clone(),
        );
        let event = case.decide(&member.id, decision, reason, comments, fields, api.clock.now());
        event.map(Some).map_err(|rule| status::rule_violated(rule, id))
    })
    .await?;
    Ok(pb::DecideReviewResponse {
        review_case: Some(case),
    })
}
