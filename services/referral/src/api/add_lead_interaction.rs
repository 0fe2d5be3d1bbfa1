use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_types::FieldPath;

use super::Api;
use crate::load::LoadedLead;
use crate::write::change;
use crate::{convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::AddLeadInteractionRequest>,
) -> Result<pb::AddLeadInteractionResponse, Failure> {
    let message = &call.message;
    let id = &message.lead_id;
    let now = api.clock.now();
    let changed = change(
        &api.db,
        &call,
        (id, &message.etag),
        now,
        async |_, loaded: &mut LoadedLead| {
            let mut interaction = message.interaction.clone().unwrap_or_default();
            let root = FieldPath::root();
            let violation = convert::normalize_interaction(&mut interaction, &root.field("interaction"));
            if let Some(violation) = violation {
                return Err(Failure::invalid(vec![violation]));
            }
            let event = loaded.lead.add_interaction(now);
            let event = event.map_err(|rule| status::rule_violated(rule, id))?;
            loaded.details.interactions.push(interaction);
            Ok(Some(event))
        },
    )
    .await?;
    Ok(pb::AddLeadInteractionResponse {
        lead: Some(convert::lead(&changed.lead, changed.details)),
    })
}
