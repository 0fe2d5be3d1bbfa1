use cosell_grpc::{Call, Failure, etags};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{Claim, claim};

use super::{Api, conclude, convert, status, visible};
use crate::domain::Opportunity;

pub async fn handle(
    api: Api,
    call: Call<pb::WithdrawSubmissionRequest>,
) -> Result<pb::WithdrawSubmissionResponse, Failure> {
    let id = &call.message.opportunity_id;
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    let claimed = claim(&mut tx, &call, id).await?;
    let mut record = visible(&mut tx, &call, id).await?;
    if claimed != Claim::New {
        return Ok(respond(&api, &record));
    }
    etags::check(&call.message.etag, record.revision())?;
    let event = record
        .withdraw(&member.id, api.clock.now())
        .map_err(|rule| status::broken(rule, id))?;
    conclude(tx, &call, &record, &event).await?;
    Ok(respond(&api, &record))
}

fn respond(api: &Api, record: &Opportunity) -> pb::WithdrawSubmissionResponse {
    pb::WithdrawSubmissionResponse {
        opportunity: Some(convert::opportunity(record, &api.catalog)),
    }
}
