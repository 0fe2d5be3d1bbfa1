use chrono::{DateTime, Utc};
use cosell_grpc::convert::is_stored;
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_types::{Caller, FieldPath, OpportunityId, Violation, ViolationCode};
use prost_types::Timestamp;

use super::{Api, past, shown, status, visible};
use crate::domain::Opportunity;
use crate::domain::values::ReviewStatus;
use crate::store;

pub async fn handle(
    api: &Api,
    call: Call<pb::GetOpportunityRequest>,
) -> Result<pb::GetOpportunityResponse, Failure> {
    let time = match &call.message.as_of {
        Some(AsOf::Time(given)) => Some(as_of_time(given)?),
        Some(AsOf::Revision(_)) | None => None,
    };
    let mut tx = api.begin(&call).await?;
    let id = &call.message.opportunity_id;
    let not_found = || status::not_found(id);
    let record = match (&call.caller, &call.message.as_of) {
        (Caller::Member(member), as_of) => {
            let current = visible(&mut tx, &call, id).await?;
            match (as_of, time) {
                (Some(AsOf::Revision(revision)), _) => past(&mut tx, &call, &current, *revision).await?,
                (_, Some(time)) => {
                    let past = store::load_as_of(&mut tx, member, &current, time).await?;
                    past.ok_or_else(not_found)?.beside(&current)
                }
                (_, None) => current,
            }
        }
        // A service asks for the revision of an event, whose submission may have been withdrawn since.
        (Caller::Service(_), Some(AsOf::Revision(revision))) => {
            let id: OpportunityId = id.parse().map_err(|_| not_found())?;
            let past = store::load_revision(&mut tx, id, *revision).await?;
            let past = past.filter(is_submitted).ok_or_else(not_found)?;
            match store::load_last_shown(&mut tx, id).await? {
                Some(current) => past.beside(&current),
                None => past,
            }
        }
        (Caller::Service(_), Some(AsOf::Time(_)) | None) => return Err(not_found()),
    };
    Ok(pb::GetOpportunityResponse {
        opportunity: Some(shown(api, &call.caller, &record)),
    })
}

fn as_of_time(given: &Timestamp) -> Result<DateTime<Utc>, Failure> {
    let nanos = u32::try_from(given.nanos).unwrap_or(u32::MAX);
    let time = DateTime::from_timestamp(given.seconds, nanos).filter(is_stored);
    time.ok_or_else(|| {
        let root = FieldPath::root();
        let text = "must be a time of the years 1 to 9999";
        Failure::invalid(vec![Violation::new(
            &root.field("time"),
            ViolationCode::InvalidValue,
            text,
        )])
    })
}

fn is_submitted(record: &Opportunity) -> bool {
    record.review().status != ReviewStatus::PendingSubmission
}
