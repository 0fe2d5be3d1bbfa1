use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::FieldPath;

use super::visible::{conclude_lead, led};
use super::{Api, convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::AddLeadInteractionRequest>,
) -> Result<pb::AddLeadInteractionResponse, Failure> {
    let message = &call.message;
    let id = &message.lead_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let (mut lead, mut details) = led(&mut tx, &call, id).await?;
    if claimed == Claim::New {
        etags::check(&message.etag, lead.revision())?;
        let mut interaction = message.interaction.clone().unwrap_or_default();
        let root = FieldPath::root();
        let wrong = convert::settle_interaction(&mut interaction, &root.field("interaction"));
        if let Some(wrong) = wrong {
            return Err(Failure::invalid(vec![wrong]));
        }
        let event = lead
            .add_interaction(api.clock.now())
            .map_err(|rule| status::broken(rule, id))?;
        details.interactions.push(interaction);
        conclude_lead(tx, &call, &lead, &details, &event).await?;
    }
    Ok(pb::AddLeadInteractionResponse {
        lead: Some(convert::lead(&lead, details)),
    })
}
