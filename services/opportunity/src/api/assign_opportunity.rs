use cosell_grpc::{Call, Failure};
use cosell_members::require_assignable_member;
use cosell_proto::cosell::opportunity::v1 as pb;

use super::Api;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::AssignOpportunityRequest>,
) -> Result<pb::AssignOpportunityResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let record = change(&api.db, &call, (id, &message.etag), async |tx, record| {
        let owner = require_assignable_member(tx, record.account(), &message.owner_member_id).await?;
        let event = record.assign(&member.id, &owner, None, api.clock.now());
        event.map_err(|rule| status::rule_violated(rule, id))
    })
    .await?;
    Ok(pb::AssignOpportunityResponse {
        opportunity: Some(convert::opportunity(&record, &api.catalog)),
    })
}
