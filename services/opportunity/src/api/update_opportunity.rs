use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;

use super::Api;
use crate::convert::selection::{SelectedDetails, selected_details};
use crate::domain::field_warnings;
use crate::write::change;
use crate::{convert, status, store};

pub async fn handle(
    api: Api,
    call: Call<pb::UpdateOpportunityRequest>,
) -> Result<pb::UpdateOpportunityResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let mut warnings = Vec::new();
    let record = change(&api.db, &call, (id, &message.etag), async |tx, record| {
        let SelectedDetails {
            details,
            fields,
            violations,
        } = selected_details(
            message.opportunity.as_ref(),
            message.update_mask.as_ref(),
            &call.form_violations,
        );
        let referenced = [&details, record.details()];
        let facts = store::load_facts(tx, &api.policy, record.account(), &referenced).await?;
        let updated = record.update(&member.id, &fields, &details, &facts, api.clock.now());
        let event = status::ok_or_violations(violations, updated, id)?;
        warnings = field_warnings::on_change(&details, record.details());
        warnings.retain(|warning| fields.iter().any(|field| warning.concerns(*field)));
        warnings.extend(field_warnings::on_closing(event.as_ref(), &fields));
        Ok(event)
    })
    .await?;
    Ok(pb::UpdateOpportunityResponse {
        warnings: convert::warnings(warnings),
        opportunity: Some(convert::opportunity(&record, &api.catalog)),
    })
}
