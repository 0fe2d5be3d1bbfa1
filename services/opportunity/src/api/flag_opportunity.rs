use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, begin, claim, commit};

use super::Api;
use crate::events::CONTEXT;
use crate::load::load_opportunity;
use crate::{status, store, view};

/// Does not use [`change`](crate::write::change): a flag belongs to the member and has neither a revision nor an event.
pub async fn handle(
    api: Api,
    call: Call<pb::FlagOpportunityRequest>,
) -> Result<pb::FlagOpportunityResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let member = call.member()?;
    let mut tx = begin(&api.db, &call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let mut record = load_opportunity(&mut tx, &call, id).await?;
    let flagged = message.flagged.unwrap_or_default();
    if claimed == Claim::New && record.is_flagged() != flagged {
        let changed = if flagged {
            store::insert_flag(&mut tx, member, &record, api.clock.now()).await
        } else {
            store::delete_flag(&mut tx, member, &record).await
        };
        changed.map_err(|error| status::flag_failure(error, id))?;
        record.set_flagged(flagged);
        commit(tx, &call, CONTEXT, &[]).await?;
    }
    Ok(pb::FlagOpportunityResponse {
        opportunity: Some(view::opportunity(&record, &call.caller, &api.catalog)),
    })
}
