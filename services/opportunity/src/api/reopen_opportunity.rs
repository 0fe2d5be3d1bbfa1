use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::Scope;
use cosell_types::ClosedList as _;

use super::Api;
use crate::domain::values::Stage;
use crate::write::change;
use crate::{status, store, view};

pub async fn handle(
    api: Api,
    call: Call<pb::ReopenOpportunityRequest>,
) -> Result<pb::ReopenOpportunityResponse, Failure> {
    let message = &call.message;
    let id = &message.opportunity_id;
    let stage = Stage::from_number(message.stage)
        .ok_or_else(|| Failure::internal("the validated request has no stage"))?;
    let record = change(&api.db, &call, (id, &message.etag), async |tx, record| {
        // The caller is a member of AWS, but row-level security permits changes only in the scope of the partner
        // account.
        tx.switch_scope(&Scope::account(record.account())).await?;
        let facts = store::load_facts(tx, &api.policy, record.account(), &[record.details()]).await?;
        let event = record.reopen(stage, message.reason.clone().into(), &facts, api.clock.now());
        event.map(Some).map_err(|rule| status::rule_violated(rule, id))
    })
    .await?;
    Ok(pb::ReopenOpportunityResponse {
        opportunity: Some(view::opportunity(&record, &call.caller, &api.catalog)),
    })
}
