use chrono::{DateTime, Utc};
use cosell_grpc::convert::is_stored;
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::{Caller, FieldPath, OpportunityId, Violation, ViolationCode};

use super::{Api, past, shown, status, visible};
use crate::domain::Opportunity;
use crate::domain::values::ReviewStatus;
use crate::store;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetOpportunityRequest>,
) -> Result<pb::GetOpportunityResponse, Failure> {
    let time = time(&call.message)?;
    let mut tx = api.begin(&call).await?;
    let id = &call.message.opportunity_id;
    let not_found = || status::not_found(id);
    let record = match (&call.caller, call.message.revision) {
        (Caller::Member(member), None) => {
            let current = visible(&mut tx, &call, id).await?;
            match time {
                None => current,
                Some(time) => {
                    let past = store::load_as_of(&mut tx, member, &current, time).await?;
                    past.ok_or_else(not_found)?.beside(&current)
                }
            }
        }
        (Caller::Member(_), Some(revision)) => {
            let current = visible(&mut tx, &call, id).await?;
            past(&mut tx, &call, &current, revision).await?
        }
        // A service asks for what an event told it of, which may have been taken back since.
        (Caller::Service(_), Some(revision)) => {
            let id: OpportunityId = id.parse().map_err(|_| not_found())?;
            let past = store::load_revision(&mut tx, id, revision).await?;
            let past = past.filter(is_submitted).ok_or_else(not_found)?;
            match store::load_last_shown(&mut tx, id).await? {
                Some(current) => past.beside(&current),
                None => past,
            }
        }
        (Caller::Service(_), None) => return Err(not_found()),
    };
    Ok(pb::GetOpportunityResponse {
        opportunity: Some(shown(api, &call.caller, &record)),
    })
}

/// The time at which the record is asked for.
fn time(message: &pb::GetOpportunityRequest) -> Result<Option<DateTime<Utc>>, Failure> {
    let Some(given) = &message.time else {
        return Ok(None);
    };
    let wrong = |text: &str| {
        let at = FieldPath::root();
        let at = at.field("time");
        Failure::invalid(vec![Violation::new(&at, ViolationCode::InvalidValue, text)])
    };
    if message.revision.is_some() {
        return Err(wrong("cannot be given together with revision"));
    }
    let nanos = u32::try_from(given.nanos).unwrap_or(u32::MAX);
    let time = DateTime::from_timestamp(given.seconds, nanos).filter(is_stored);
    time.map(Some)
        .ok_or_else(|| wrong("is no time of the years 1 to 9999"))
}

fn is_submitted(record: &Opportunity) -> bool {
    record.review().status != ReviewStatus::PendingSubmission
}
