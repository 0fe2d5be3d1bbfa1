//! The query of the review queue, which is built at run time from its filter.

use chrono::{DateTime, Utc};
use cosell_grpc::convert::{Bounds, is_valid_time};
use cosell_store::{Error, Tx};
use cosell_types::{ClosedList as _, OpportunityId};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder, Row as _};

use crate::domain::values::CaseState;
use crate::domain::{CaseId, ReviewCase};

/// The filter of the review queue. Empty lists and `None` do not filter; an empty list in `Some` matches no case.
#[derive(Clone, Debug, Default)]
pub struct CaseFilter {
    pub states: Vec<CaseState>,
    pub submitted: Bounds<DateTime<Utc>>,
    pub accounts: Vec<String>,
    pub assignees: Vec<String>,
    pub unassigned: bool,
    pub opportunities: Option<Vec<OpportunityId>>,
}

/// The sort key of the last row of a page: whether the case waits for a decision, submission time and case id. Tokens of
/// earlier releases lack the first value, so that they are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageCursor(bool, DateTime<Utc>, String);

impl PageCursor {
    /// The cursor of the page that follows this case.
    pub fn after(case: &ReviewCase) -> Self {
        Self(
            case.state().awaits_decision(),
            case.submit_time(),
            case.id().to_string(),
        )
    }

    /// Whether the values could be those of a case. Page tokens are not signed.
    pub fn is_valid(&self) -> bool {
        is_valid_time(&self.1) && self.2.parse::<CaseId>().is_ok()
    }
}

/// Whether a case waits for a decision: the states of [`CaseState::awaits_decision`], which a test compares. Together
/// with `submit_time` and `review_case_id` it is an index, for each direction one.
const IS_WAITING: &str = "(state IN ('SUBMITTED', 'IN_REVIEW'))";
const IS_NOT_WAITING: &str = "(state NOT IN ('SUBMITTED', 'IN_REVIEW'))";

/// At most `limit` cases after the cursor: those that wait for a decision first, each part by submission time.
pub async fn list_cases(
    tx: &mut Tx,
    filter: &CaseFilter,
    descending: bool,
    cursor: Option<PageCursor>,
    limit: i64,
) -> Result<Vec<ReviewCase>, Error> {
    let mut query = QueryBuilder::new("");
    push_list_query(&mut query, filter, descending, cursor, limit);
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.into_iter()
        .map(|row| Ok(row.try_get::<Json<ReviewCase>, _>(0)?.0))
        .collect()
}

/// Appends the query of a page. All keys have the same direction, so that a page is a range of an index.
pub(super) fn push_list_query(
    query: &mut QueryBuilder<Postgres>,
    filter: &CaseFilter,
    descending: bool,
    cursor: Option<PageCursor>,
    limit: i64,
) {
    query.push("SELECT record FROM review_case WHERE true");
    push_filter(query, filter);
    let (part, after, direction) = if descending {
        (IS_WAITING, "<", "DESC")
    } else {
        (IS_NOT_WAITING, ">", "ASC")
    };
    if let Some(PageCursor(is_waiting, time, id)) = cursor {
        query
            .push(format_args!(
                " AND ({part}, submit_time, review_case_id) {after} ("
            ))
            .push_bind(is_waiting == descending);
        query.push(", ").push_bind(time);
        query.push(", ").push_bind(id).push(")");
    }
    query
        .push(format_args!(
            " ORDER BY {part} {direction}, submit_time {direction}, review_case_id {direction} LIMIT "
        ))
        .push_bind(limit);
}

fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &CaseFilter) {
    if !filter.states.is_empty() {
        let states: Vec<_> = filter.states.iter().map(|state| state.name()).collect();
        query.push(" AND state = ANY(").push_bind(states).push(")");
    }
    if let Some(from) = filter.submitted.start {
        query.push(" AND submit_time >= ").push_bind(from);
    }
    if let Some(before) = filter.submitted.end {
        query.push(" AND submit_time < ").push_bind(before);
    }
    if !filter.accounts.is_empty() {
        query
            .push(" AND account_id = ANY(")
            .push_bind(filter.accounts.clone())
            .push(")");
    }
    if filter.unassigned || !filter.assignees.is_empty() {
        query
            .push(" AND (assignee_member_id = ANY(")
            .push_bind(filter.assignees.clone())
            .push(")");
        query.push(if filter.unassigned {
            " OR assignee_member_id IS NULL)"
        } else {
            ")"
        });
    }
    if let Some(opportunities) = &filter.opportunities {
        let numbers: Vec<_> = opportunities.iter().map(|id| id.number()).collect();
        query
            .push(" AND opportunity_id = ANY(")
            .push_bind(numbers)
            .push(")");
    }
}

#[cfg(test)]
mod tests {
    use cosell_grpc::PageQuery;
    use cosell_types::{Caller, Clock};

    use super::*;

    #[test]
    fn rev_020_states_of_the_query_are_those_that_await_a_decision() {
        let names: Vec<_> = CaseState::ALL
            .iter()
            .filter(|state| state.awaits_decision())
            .map(|state| format!("'{}'", state.name()))
            .collect();
        let names = names.join(", ");
        assert_eq!(IS_WAITING, format!("(state IN ({names}))"));
        assert_eq!(IS_NOT_WAITING, format!("(state NOT IN ({names}))"));
    }

    #[test]
    fn plt_005_rev_020_page_token_of_an_earlier_release_is_refused() {
        let caller = Caller::Service("test".parse().expect("a service"));
        let query = PageQuery::new(&caller, &"the same query".to_owned());
        let (time, id) = (Clock::system().now(), "rc-0000000000000".to_owned());
        let token_of = |key: &dyn Fn() -> serde_json::Value| {
            let page = query.page(&[(), ()], 1, |()| String::new(), |()| key());
            page.expect("a page").1
        };
        let earlier = token_of(&|| serde_json::json!([time, id]));
        let refused = query.cursor(&earlier, PageCursor::is_valid);
        assert_eq!(refused.expect_err("a refusal").reason(), "PAGE_TOKEN_INVALID");
        let current = token_of(&|| serde_json::json!([true, time, id]));
        assert!(query.cursor(&current, PageCursor::is_valid).is_ok());
    }
}
