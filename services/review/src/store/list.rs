//! The query of the review queue, which is built at run time from its filter.

use chrono::{DateTime, Utc};
use cosell_grpc::convert::{Bounds, is_valid_time};
use cosell_store::{Error, Tx};
use cosell_types::{ClosedList as _, OpportunityId};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{QueryBuilder, Row as _};

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

/// The sort key of the last row of a page: submission time and case id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageCursor(DateTime<Utc>, String);

impl PageCursor {
    /// The cursor of the page that follows this case.
    pub fn after(case: &ReviewCase) -> Self {
        Self(case.submit_time(), case.id().to_string())
    }

    /// Whether the values could be those of a case. Page tokens are not signed.
    pub fn is_valid(&self) -> bool {
        is_valid_time(&self.0) && self.1.parse::<CaseId>().is_ok()
    }
}

/// At most `limit` cases after the cursor, sorted by submission time.
pub async fn list_cases(
    tx: &mut Tx,
    filter: &CaseFilter,
    descending: bool,
    cursor: Option<PageCursor>,
    limit: i64,
) -> Result<Vec<ReviewCase>, Error> {
    let mut query = QueryBuilder::new("SELECT record FROM review_case WHERE true");
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
    let (after, direction) = if descending { ("<", "DESC") } else { (">", "ASC") };
    if let Some(PageCursor(time, id)) = cursor {
        query
            .push(format_args!(" AND (submit_time, review_case_id) {after} ("))
            .push_bind(time);
        query.push(", ").push_bind(id).push(")");
    }
    query.push(format_args!(
        " ORDER BY submit_time {direction}, review_case_id {direction} LIMIT "
    ));
    query.push_bind(limit);
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.into_iter()
        .map(|row| Ok(row.try_get::<Json<ReviewCase>, _>(0)?.0))
        .collect()
}
