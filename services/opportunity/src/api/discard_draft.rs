use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, begin, claim};

use super::Api;
use crate::load::load_opportunity;
use crate::status;
use crate::write::save;

/// Does not use [`change`](crate::write::change): after the first call there is no record that a replay could load.
pub async fn handle(
    api: Api,
    call: Call<pb::DiscardDraftRequest>,
) -> Result<pb::DiscardDraftResponse, Failure> {
    let id = &call.message.opportunity_id;
    let member = call.member()?;
    let mut tx = begin(&api.db, &call).await?;
    if claim(&mut tx, &call, id).await? != Claim::New {
        return Ok(pb::DiscardDraftResponse {});
    }
    let mut record = load_opportunity(&mut tx, &call, id).await?;
    etags::check(&call.message.etag, record.revision())?;
    let event = record
        .discard(&member.id, api.clock.now())
        .map_err(|rule| status::rule_violated(rule, id))?;
    save(tx, &call, &record, &event).await?;
    Ok(pb::DiscardDraftResponse {})
}
