use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::review::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, conclude, existing, status, whole};

pub async fn handle(
    api: Api,
    call: Call<pb::ClaimReviewCaseRequest>,
) -> Result<pb::ClaimReviewCaseResponse, Failure> {
    let id = &call.message.review_case_id;
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let mut case = existing(&mut tx, id).await?;
    if claimed != Claim::New {
        return Ok(pb::ClaimReviewCaseResponse {
            review_case: Some(whole(&mut tx, &case).await?),
        });
    }
    etags::check(&call.message.etag, case.revision())?;
    let event = case
        .claim(&member.id, call.message.take_over, api.clock.now())
        .map_err(|rule| status::broken(rule, id))?;
    let review_case = match event {
        Some(event) => conclude(tx, &call, &case, &event).await?,
        None => whole(&mut tx, &case).await?,
    };
    Ok(pb::ClaimReviewCaseResponse {
        review_case: Some(review_case),
    })
}
