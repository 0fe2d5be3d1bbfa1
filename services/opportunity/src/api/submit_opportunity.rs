use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::ClosedList as _;

use super::Api;
use crate::domain::field_warnings;
use crate::domain::values::{InvolvementType, Visibility};
use crate::write::change;
use crate::{convert, status, store};

pub async fn handle(
    api: Api,
    call: Call<pb::SubmitOpportunityRequest>,
) -> Result<pb::SubmitOpportunityResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let involvement = InvolvementType::from_number(message.involvement_type)
        .ok_or_else(|| Failure::internal("the validated request has no involvement type"))?;
    let visibility = Visibility::from_number(message.visibility).unwrap_or(Visibility::Full);
    let mut warnings = Vec::new();
    let record = change(&api.db, &call, (id, &message.etag), async |tx, record| {
        let facts = store::load_facts(tx, &api.policy, record.account(), &[record.details()]).await?;
        let event = record
            .submit(&member.id, involvement, visibility, &facts, api.clock.now())
            .map_err(|rule| status::rule_violated(rule, id))?;
        warnings = field_warnings::on_submission(record.details(), &facts);
        Ok(Some(event))
    })
    .await?;
    Ok(pb::SubmitOpportunityResponse {
        warnings: convert::warnings(warnings),
        opportunity: Some(convert::opportunity(&record, &api.catalog)),
    })
}
