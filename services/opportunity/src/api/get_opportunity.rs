use chrono::{DateTime, Utc};
use cosell_grpc::convert::is_valid_time;
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::get_opportunity_request::AsOf;
use cosell_store::begin;
use cosell_types::{Caller, FieldPath, OpportunityId, Violation, ViolationCode};
use prost_types::Timestamp;

use super::Api;
use crate::domain::Opportunity;
use crate::domain::values::ReviewStatus;
use crate::load::{load_opportunity, load_revision, read_opportunity};
use crate::store;
use crate::{status, view};

pub async fn handle(
    api: &Api,
    call: Call<pb::GetOpportunityRequest>,
) -> Result<pb::GetOpportunityResponse, Failure> {
    let id = &call.message.opportunity_id;
    let not_found = || status::not_found(id);
    let record = match (&call.caller, &call.message.as_of) {
        (Caller::Member(_), None) => read_opportunity(&api.db, &call, id).await?,
        (Caller::Member(_), Some(AsOf::Revision(revision))) => {
            let mut tx = begin(&api.db, &call).await?;
            let current = load_opportunity(&mut tx, &call, id).await?;
            load_revision(&mut tx, &call, &current, *revision).await?
        }
        (Caller::Member(member), Some(AsOf::Time(time))) => {
            let time = as_of_time(time)?;
            let mut tx = begin(&api.db, &call).await?;
            let current = load_opportunity(&mut tx, &call, id).await?;
            let past = store::load_revision_as_of(&mut tx, member, &current, time).await?;
            past.ok_or_else(not_found)?.with_reader_context_of(&current)
        }
        // Services read the revision of an event. Its submission can have been withdrawn since.
        (Caller::Service(_), Some(AsOf::Revision(revision))) => {
            let id: OpportunityId = id.parse().map_err(|_| not_found())?;
            let mut tx = begin(&api.db, &call).await?;
            let past = store::load_revision(&mut tx, id, *revision).await?;
            let past = past.filter(is_submitted).ok_or_else(not_found)?;
            match store::load_last_visible_revision(&mut tx, id).await? {
                Some(current) => past.with_reader_context_of(&current),
                None => past,
            }
        }
        (Caller::Service(_), Some(AsOf::Time(_)) | None) => return Err(not_found()),
    };
    Ok(pb::GetOpportunityResponse {
        opportunity: Some(view::opportunity(&record, &call.caller, &api.catalog)),
    })
}

fn as_of_time(timestamp: &Timestamp) -> Result<DateTime<Utc>, Failure> {
    let nanos = u32::try_from(timestamp.nanos).unwrap_or(u32::MAX);
    let time = DateTime::from_timestamp(timestamp.seconds, nanos).filter(is_valid_time);
    time.ok_or_else(|| {
        let root = FieldPath::root();
        let text = "Must be in the years 1 to 9999.";
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
