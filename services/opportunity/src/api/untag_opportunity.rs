use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;

use super::Api;
use crate::convert;
use crate::write::change;

pub async fn handle(
    api: Api,
    call: Call<pb::UntagOpportunityRequest>,
) -> Result<pb::UntagOpportunityResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let (id, etag) = (&message.opportunity_id, &message.etag);
    let record = change(&api.db, &call, (id, etag), async |_, record| {
        Ok(record.untag(&member.id, &message.tag_keys, api.clock.now()))
    })
    .await?;
    Ok(pb::UntagOpportunityResponse {
        opportunity: Some(convert::opportunity(&record, &api.catalog)),
    })
}
