use cosell_grpc::convert::time_span;
use cosell_grpc::{Call, Failure, PageQuery, page_size};
use cosell_proto::cosell::review::v1 as pb;
use cosell_proto::cosell::r#type::v1::SortOrder;
use cosell_types::{ClosedList as _, OpportunityId};

use super::{Api, convert};
use crate::domain::values::State;
use crate::store::list::{Filter, Last, list};

pub async fn handle(
    api: &Api,
    mut call: Call<pb::ListReviewCasesRequest>,
) -> Result<pb::ListReviewCasesResponse, Failure> {
    let token = std::mem::take(&mut call.message.page_token);
    let size = page_size(std::mem::take(&mut call.message.page_size));
    let query = PageQuery::new(&call.caller, &call.message);
    let last = query.last(&token, Last::is_sound)?;
    let descending = call.message.sort_order() == SortOrder::Descending;
    let filter = filter(call.message.filter.clone().unwrap_or_default())?;

    let mut tx = api.begin(&call).await?;
    let cases = list(&mut tx, &filter, descending, last, size + 1).await?;
    let (review_cases, next_page_token) = query.page(&cases, size, convert::summary, Last::of)?;
    Ok(pb::ListReviewCasesResponse {
        review_cases,
        next_page_token,
    })
}

fn filter(stated: pb::ReviewCaseFilter) -> Result<Filter, Failure> {
    let mut found = Vec::new();
    let submitted = time_span(stated.submit_time.as_ref(), "filter.submit_time", &mut found);
    if !found.is_empty() {
        return Err(Failure::invalid(found));
    }
    Ok(Filter {
        states: stated
            .states
            .iter()
            .filter_map(|number| State::from_number(*number))
            .collect(),
        submitted,
        accounts: stated.account_ids,
        assignees: stated.assignee_member_ids,
        unassigned: stated.unassigned,
        opportunities: OpportunityId::filter(&stated.opportunity_ids),
    })
}
