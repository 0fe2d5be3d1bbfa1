use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;

use super::Api;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::AddNextStepRequest>,
) -> Result<pb::AddNextStepResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let record = change(&api.db, &call, (id, &message.etag), async |_, record| {
        let event = record.add_next_step(&member.id, message.next_step.clone().into(), api.clock.now());
        event.map(Some).map_err(|rule| status::rule_violated(rule, id))
    })
    .await?;
    Ok(pb::AddNextStepResponse {
        opportunity: Some(convert::opportunity(&record, &api.catalog)),
    })
}
