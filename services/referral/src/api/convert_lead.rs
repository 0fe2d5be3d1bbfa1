use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_types::random;

use super::Api;
use crate::load::LoadedLead;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::ConvertLeadRequest>,
) -> Result<pb::ConvertLeadResponse, Failure> {
    let message = &call.message;
    let id = &message.lead_id;
    let now = api.clock.now();
    let member = call.member()?;
    let changed = change(
        &api.db,
        &call,
        (id, &message.etag),
        now,
        async |_, loaded: &mut LoadedLead| {
            let event = loaded.lead.convert(&member.id, random::opportunity_id(now), now);
            let event = event.map_err(|rule| status::rule_violated(rule, id))?;
            let (industry, country) = (&message.industry, &message.country_code);
            let violations = convert::complete_lead(&mut loaded.details, industry, country);
            if !violations.is_empty() {
                return Err(Failure::invalid(violations));
            }
            Ok(Some(event))
        },
    )
    .await?;
    let mut lead = convert::lead(&changed.lead, changed.details);
    if message.validate_only {
        // The call that is not a dry run generates another id.
        lead.opportunity_id.clear();
    }
    Ok(pb::ConvertLeadResponse { lead: Some(lead) })
}
