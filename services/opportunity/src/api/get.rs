use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::{Caller, OpportunityId};

use super::{Api, shown, status, visible};
use crate::domain::Opportunity;
use crate::domain::values::ReviewStatus;
use crate::store;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetOpportunityRequest>,
) -> Result<pb::GetOpportunityResponse, Failure> {
    let mut tx = api.begin(&call).await?;
    let id = &call.message.opportunity_id;
    let not_found = || status::not_found(id);
    let record = match (&call.caller, call.message.revision) {
        (Caller::Member(_), None) => visible(&mut tx, &call, id).await?,
        (Caller::Member(member), Some(revision)) => {
            let current = visible(&mut tx, &call, id).await?;
            let partner = member.account == *current.account();
            let past = store::load_revision(&mut tx, current.id(), revision)
                .await?
                .ok_or_else(not_found)?;
            // AWS never learns what a draft said before it was submitted.
            (partner || is_submitted(&past))
                .then_some(past)
                .ok_or_else(not_found)?
        }
        // A service asks for what an event told it of, which may have been taken back since.
        (Caller::Service(_), Some(revision)) => {
            let id: OpportunityId = id.parse().map_err(|_| not_found())?;
            let past = store::load_revision(&mut tx, id, revision).await?;
            past.filter(is_submitted).ok_or_else(not_found)?
        }
        (Caller::Service(_), None) => return Err(not_found()),
    };
    Ok(pb::GetOpportunityResponse {
        opportunity: Some(shown(api, &call.caller, &record)),
    })
}

fn is_submitted(record: &Opportunity) -> bool {
    record.review().status != ReviewStatus::PendingSubmission
}
