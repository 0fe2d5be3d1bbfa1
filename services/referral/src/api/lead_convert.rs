use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::random;

use super::visible::{conclude_lead, led};
use super::{Api, convert, status};

pub async fn handle(
    api: Api,
    call: Call<pb::ConvertLeadRequest>,
) -> Result<pb::ConvertLeadResponse, Failure> {
    let message = &call.message;
    let id = &message.lead_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let (mut lead, mut details) = led(&mut tx, &call, id).await?;
    if claimed == Claim::New {
        etags::check(&message.etag, lead.revision())?;
        let now = api.clock.now();
        let event = lead
            .convert(&call.member()?.id, random::opportunity_id(now), now)
            .map_err(|rule| status::broken(rule, id))?;
        let unknown = convert::complete_lead(&mut details, &message.industry, &message.country_code);
        if !unknown.is_empty() {
            return Err(Failure::invalid(unknown));
        }
        conclude_lead(tx, &call, &lead, &details, &event).await?;
    }
    let mut shown = convert::lead(&lead, details);
    if message.validate_only {
        // The real one draws another id.
        shown.opportunity_id.clear();
    }
    Ok(pb::ConvertLeadResponse { lead: Some(shown) })
}
