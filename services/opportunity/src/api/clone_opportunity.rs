use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::random;

use super::Api;
use crate::convert::selection::{SelectedDetails, selected_details};
use crate::domain::field_warnings;
use crate::load::load_opportunity;
use crate::write::create;
use crate::{convert, status, store};

pub async fn handle(
    api: Api,
    call: Call<pb::CloneOpportunityRequest>,
) -> Result<pb::CloneOpportunityResponse, Failure> {
    let message = &call.message;
    let member = call.member()?;
    let now = api.clock.now();
    let id = random::opportunity_id(now);
    let mut warnings = Vec::new();
    let record = create(&api.db, &call, &id.to_string(), async |tx| {
        let source = load_opportunity(tx, &call, &message.opportunity_id).await?;
        let SelectedDetails {
            details,
            fields,
            violations,
        } = selected_details(
            message.opportunity.as_ref(),
            message.update_mask.as_ref(),
            &call.form_violations,
        );
        let referenced = [&details, source.details()];
        let facts = store::load_facts(tx, &api.policy, source.account(), &referenced).await?;
        let cloned = source.clone_with(id, member.id.clone(), &fields, &details, &facts, now);
        let (record, event) = status::ok_or_violations(violations, cloned, &message.opportunity_id)?;
        warnings = field_warnings::on_change(&details, record.details());
        warnings.extend(field_warnings::on_clone(
            source.details(),
            record.details(),
            &fields,
        ));
        Ok((record, event))
    })
    .await?;
    Ok(pb::CloneOpportunityResponse {
        warnings: convert::warnings(warnings),
        opportunity: Some(convert::opportunity(&record, &api.catalog)),
    })
}
