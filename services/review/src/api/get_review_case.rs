use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::review::v1 as pb;
use cosell_store::begin;

use super::Api;
use crate::load::{load_case, load_case_message};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetReviewCaseRequest>,
) -> Result<pb::GetReviewCaseResponse, Failure> {
    let mut tx = begin(&api.db, &call).await?;
    let case = load_case(&mut tx, &call.message.review_case_id).await?;
    Ok(pb::GetReviewCaseResponse {
        review_case: Some(load_case_message(&mut tx, &case).await?),
    })
}
