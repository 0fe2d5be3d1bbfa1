use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, conclude, status, visible};

pub async fn handle(
    api: Api,
    call: Call<pb::DiscardDraftRequest>,
) -> Result<pb::DiscardDraftResponse, Failure> {
    let id = &call.message.opportunity_id;
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    // A repeated call finds nothing any more, and that is its success.
    if claim(&mut tx, &call, id).await? != Claim::New {
        return Ok(pb::DiscardDraftResponse {});
    }
    let mut record = visible(&mut tx, &call, id).await?;
    etags::check(&call.message.etag, record.revision())?;
    let event = record
        .discard(&member.id, api.clock.now())
        .map_err(|rule| status::broken(rule, id))?;
    conclude(tx, &call, &record, &event).await?;
    Ok(pb::DiscardDraftResponse {})
}
