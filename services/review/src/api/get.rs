use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::review::v1 as pb;

use super::{Api, existing, whole};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetReviewCaseRequest>,
) -> Result<pb::GetReviewCaseResponse, Failure> {
    let mut tx = api.begin(&call).await?;
    let case = existing(&mut tx, &call.message.review_case_id).await?;
    Ok(pb::GetReviewCaseResponse {
        review_case: Some(whole(&mut tx, &case).await?),
    })
}
