use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, claim};
use cosell_types::random;

use super::{Api, conclude, convert, status, visible};
use crate::domain::{Advice, Opportunity, advice};
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::CreateOpportunityRequest>,
) -> Result<pb::CreateOpportunityResponse, Failure> {
    let member = call.member()?;
    let now = api.clock.now();
    let id = random::opportunity_id(now);
    let mut tx = api.begin(&call).await?;
    if let Claim::Replay(done) = claim(&mut tx, &call, &id.to_string()).await? {
        let record = visible(&mut tx, &call, &done).await?;
        return Ok(respond(&api, &record, Vec::new()));
    }
    let given = call
        .message
        .opportunity
        .as_ref()
        .ok_or_else(|| Failure::internal("validated, but absent"))?;
    let (details, mut wrong) = convert::details(given);
    wrong.splice(..0, call.shape.iter().cloned());
    let facts = store::facts(&mut tx, &api.policy, &member.account, &[&details]).await?;
    let made = Opportunity::create(
        id,
        member.account.clone(),
        member.id.clone(),
        details.clone(),
        &facts,
        now,
    );
    let (record, event) = status::together(wrong, made, &id.to_string())?;
    conclude(tx, &call, &record, &event).await?;
    let hints = advice::on_change(&details, record.details());
    Ok(respond(&api, &record, hints))
}

fn respond(api: &Api, record: &Opportunity, hints: Vec<Advice>) -> pb::CreateOpportunityResponse {
    pb::CreateOpportunityResponse {
        warnings: convert::warnings(hints),
        opportunity: Some(convert::opportunity(record, &api.catalog)),
    }
}
