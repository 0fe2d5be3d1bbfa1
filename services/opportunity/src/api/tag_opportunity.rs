use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;

use super::Api;
use crate::domain::Rule;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::TagOpportunityRequest>,
) -> Result<pb::TagOpportunityResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let record = change(&api.db, &call, (id, &message.etag), async |_, record| {
        let tags: Vec<_> = message.tags.iter().cloned().map(convert::tag).collect();
        let event = record.tag(&member.id, &tags, api.clock.now());
        event.map_err(|rule| match rule {
            // Tags are a field of the request itself, so their paths have no prefix.
            Rule::Invalid(violations) => Failure::invalid(violations),
            rule => status::rule_violated(rule, id),
        })
    })
    .await?;
    Ok(pb::TagOpportunityResponse {
        opportunity: Some(convert::opportunity(&record, &api.catalog)),
    })
}
