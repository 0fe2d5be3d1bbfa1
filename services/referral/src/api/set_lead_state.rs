use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_types::ClosedList as _;

use super::Api;
use crate::domain::values::LeadState;
use crate::load::LoadedLead;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::SetLeadStateRequest>,
) -> Result<pb::SetLeadStateResponse, Failure> {
    let message = &call.message;
    let id = &message.lead_id;
    let now = api.clock.now();
    let state = LeadState::from_number(message.state);
    let state = state.ok_or_else(|| Failure::internal("the validated request has no state"))?;
    let changed = change(
        &api.db,
        &call,
        (id, &message.etag),
        now,
        async |_, loaded: &mut LoadedLead| {
            let custom = message.custom_state.as_str().into();
            let event = loaded.lead.set_state(state, &custom, now);
            event.map_err(|rule| status::rule_violated(rule, id))
        },
    )
    .await?;
    Ok(pb::SetLeadStateResponse {
        lead: Some(convert::lead(&changed.lead, changed.details)),
    })
}
