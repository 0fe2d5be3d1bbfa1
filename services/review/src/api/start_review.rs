use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::review::v1 as pb;

use super::Api;
use crate::status;
use crate::write::change;

pub async fn handle(
    api: Api,
    call: Call<pb::StartReviewRequest>,
) -> Result<pb::StartReviewResponse, Failure> {
    let message = &call.message;
    let id = &message.review_case_id;
    let member = call.member()?;
    let case = change(&api.db, &call, (id, &message.etag), |case| {
        let event = case.start(&member.id, api.clock.now());
        event.map(Some).map_err(|rule| status::rule_violated(rule, id))
    })
    .await?;
    Ok(pb::StartReviewResponse {
        review_case: Some(case),
    })
}
