use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::google::longrunning::{ListOperationsRequest, ListOperationsResponse};
use cosell_store::begin;
use cosell_types::ViolationCode;

use super::Api;
use crate::bulk::{operation, violation_at};
use crate::domain::access::{self, VisibilityScope};
use crate::store::bulk_jobs;

pub async fn handle(
    api: &Api,
    mut call: Call<ListOperationsRequest>,
) -> Result<ListOperationsResponse, Failure> {
    require_all(&call.message)?;
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size).max(0));
    let query = PageQuery::new(&call.caller, &call.message);
    let cursor = query.cursor(&token, |(_, id): &(chrono::DateTime<chrono::Utc>, String)| {
        !id.contains('\0')
    })?;
    let member = call.member()?;
    let creator = (access::visibility_scope(member) != VisibilityScope::Account).then(|| member.id.as_str());
    let mut tx = begin(&api.db, &call).await?;
    let jobs = bulk_jobs::list_jobs(&mut tx, &member.account, creator, cursor.as_ref(), size + 1).await?;
    let (operations, next_page_token) =
        query.page(&jobs, size, operation::from_job_without_results, |job| {
            (job.create_time, job.id.clone())
        })?;
    Ok(ListOperationsResponse {
        operations,
        next_page_token,
        ..Default::default()
    })
}

/// Refuses a selection, which is not supported: to ignore it would list what was not asked for.
fn require_all(request: &ListOperationsRequest) -> Result<(), Failure> {
    let stated = [
        (
            "name",
            !["", "operations"].contains(&request.name.as_str()),
            "Must be `operations` or empty.",
        ),
        (
            "filter",
            !request.filter.is_empty(),
            "Must be empty: operations cannot be filtered.",
        ),
    ];
    let stated = stated.into_iter().filter(|(_, is_stated, _)| *is_stated);
    let violations: Vec<_> = stated
        .map(|(field, _, text)| violation_at(field, ViolationCode::InvalidValue, text))
        .collect();
    match violations.is_empty() {
        true => Ok(()),
        false => Err(Failure::invalid(violations)),
    }
}
