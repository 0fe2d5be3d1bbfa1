use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, shown, status, visible};
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::FlagOpportunityRequest>,
) -> Result<pb::FlagOpportunityResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let mut record = visible(&mut tx, &call, id).await?;
    let flagged = message.flagged.unwrap_or_default();
    if claimed == Claim::New && record.is_flagged() != flagged {
        let changed = if flagged {
            store::flag(&mut tx, member, &record, api.clock.now()).await
        } else {
            store::unflag(&mut tx, member, &record).await
        };
        changed.map_err(|error| status::gone(error, id))?;
        record.set_flagged(flagged);
        if !message.validate_only {
            tx.commit().await?;
        }
    }
    Ok(pb::FlagOpportunityResponse {
        opportunity: Some(shown(&api, &call.caller, &record)),
    })
}
