use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::ClosedList as _;

use super::visible::{conclude_lead, led};
use super::{Api, convert, status};
use crate::domain::values::LeadState;

pub async fn handle(
    api: Api,
    call: Call<pb::SetLeadStateRequest>,
) -> Result<pb::SetLeadStateResponse, Failure> {
    let message = &call.message;
    let id = &message.lead_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let (mut lead, details) = led(&mut tx, &call, id).await?;
    if claimed == Claim::New {
        etags::check(&message.etag, lead.revision())?;
        let state = LeadState::from_number(message.state)
            .ok_or_else(|| Failure::internal("validated, but no state"))?;
        let words = message.custom_state.as_str().into();
        let event = lead
            .set_state(state, &words, api.clock.now())
            .map_err(|rule| status::broken(rule, id))?;
        if let Some(event) = event {
            conclude_lead(tx, &call, &lead, &details, &event).await?;
        }
    }
    Ok(pb::SetLeadStateResponse {
        lead: Some(convert::lead(&lead, details)),
    })
}
