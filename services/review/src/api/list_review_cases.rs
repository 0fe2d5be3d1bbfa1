use cosell_grpc::convert::{ids, timestamp_range};
use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::review::v1 as pb;
use cosell_proto::cosell::r#type::v1::SortOrder;
use cosell_store::begin;
use cosell_types::{ClosedList as _, OpportunityId};

use super::Api;
use crate::convert;
use crate::domain::values::CaseState;
use crate::store::list::{CaseFilter, PageCursor, list_cases};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListReviewCasesRequest>,
) -> Result<pb::ListReviewCasesResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let cursor = query.cursor(&token, PageCursor::is_valid)?;
    let descending = call.message.sort_order() == SortOrder::Descending;
    let filter = case_filter(call.message.filter.clone().unwrap_or_default())?;

    let mut tx = begin(&api.db, &call).await?;
    let cases = list_cases(&mut tx, &filter, descending, cursor, size + 1).await?;
    let (review_cases, next_page_token) =
        query.page(&cases, size, convert::case_without_rounds, PageCursor::after)?;
    Ok(pb::ListReviewCasesResponse {
        review_cases,
        next_page_token,
    })
}

fn case_filter(filter: pb::ReviewCaseFilter) -> Result<CaseFilter, Failure> {
    let mut violations = Vec::new();
    let submitted = timestamp_range(filter.submit_time.as_ref(), "filter.submit_time", &mut violations);
    let opportunities: Vec<OpportunityId> =
        ids(&filter.opportunity_ids, "filter.opportunity_ids", &mut violations);
    if !violations.is_empty() {
        return Err(Failure::invalid(violations));
    }
    Ok(CaseFilter {
        states: filter
            .states
            .iter()
            .filter_map(|number| CaseState::from_number(*number))
            .collect(),
        submitted,
        accounts: filter.account_ids,
        assignees: filter.assignee_member_ids,
        unassigned: filter.unassigned,
        opportunities: (!opportunities.is_empty()).then_some(opportunities),
    })
}
