use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, Scope, claim};
use cosell_types::ClosedList as _;

use super::{Api, conclude, shown, status, visible};
use crate::domain::Opportunity;
use crate::domain::values::Stage;
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::ReopenOpportunityRequest>,
) -> Result<pb::ReopenOpportunityResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let mut record = visible(&mut tx, &call, id).await?;
    if claimed != Claim::New {
        return Ok(respond(&api, &call, &record));
    }
    etags::check(&message.etag, record.revision())?;
    let stage =
        Stage::from_number(message.stage).ok_or_else(|| Failure::internal("validated, but no stage"))?;
    // AWS has seen the record; the database takes changes of it from the partner's side only.
    tx.act_for(&Scope::account(record.account())).await?;
    let facts = store::facts(&mut tx, &api.policy, record.account(), &[record.details()]).await?;
    let event = record
        .reopen(stage, message.reason.clone().into(), &facts, api.clock.now())
        .map_err(|rule| status::broken(rule, id))?;
    conclude(tx, &call, &record, &event).await?;
    Ok(respond(&api, &call, &record))
}

fn respond(
    api: &Api,
    call: &Call<pb::ReopenOpportunityRequest>,
    record: &Opportunity,
) -> pb::ReopenOpportunityResponse {
    pb::ReopenOpportunityResponse {
        opportunity: Some(shown(api, &call.caller, record)),
    }
}
