use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::review::v1 as pb;

use super::Api;
use crate::status;
use crate::write::change;

pub async fn handle(
    api: Api,
    call: Call<pb::ClaimReviewCaseRequest>,
) -> Result<pb::ClaimReviewCaseResponse, Failure> {
    let message = &call.message;
    let id = &message.review_case_id;
    let member = call.member()?;
    let case = change(&api.db, &call, (id, &message.etag), |case| {
        let event = case.claim(&member.id, message.take_over, api.clock.now());
        event.map_err(|rule| status::rule_violated(rule, id))
    })
    .await?;
    Ok(pb::ClaimReviewCaseResponse {
        review_case: Some(case),
    })
}
