//! The queries that are built at run time: lists with filters, presets and search terms, in five orders and two
//! directions, and counts.

use chrono::{DateTime, Datelike as _, NaiveDate, SecondsFormat, Utc};
use cosell_grpc::convert::{Bounds, is_valid_time};
use cosell_store::{Error, Tx};
use cosell_types::{ClosedList as _, Member, MemberId, OpportunityId, Side};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder, Row as _};

use super::opportunities::{NO_CLOSE_DATE, close_date_column};
pub use super::presets::QueryContext;
use crate::domain::Opportunity;
use crate::domain::access::{VisibilityScope, visibility_scope};
use crate::domain::job::Job;
use crate::domain::values::{Origin, Preset, ReviewStatus, Stage};

/// The conditions of a list. Empty lists and `None` do not filter; `Some` empty list of ids matches nothing.
#[derive(Clone, Debug, Default)]
pub struct OpportunityFilter {
    pub preset: Option<Preset>,
    /// For each of these, a record must have a search term that begins with it.
    pub search_terms: Vec<String>,
    pub without_active_owner: bool,
    pub ids: Option<Vec<OpportunityId>>,
    pub stages: Vec<Stage>,
    pub review_statuses: Vec<ReviewStatus>,
    /// Comparison keys (PLT-016).
    pub company_keys: Vec<String>,
    pub partner_identifier_keys: Vec<String>,
    pub owners: Vec<MemberId>,
    pub origins: Vec<Origin>,
    pub created: Bounds<DateTime<Utc>>,
    pub updated: Bounds<DateTime<Utc>>,
    pub closes: Bounds<NaiveDate>,
}

/// The column that a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    UpdateTime,
    Id,
    CompanyName,
    CreateTime,
    TargetCloseDate,
}

fn format_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The position of the last row of a page: its value of the sort key as text, and its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageCursor(String, i64);

impl SortKey {
    fn column(self, member: &Member) -> &'static str {
        match self {
            SortKey::UpdateTime => "update_time",
            SortKey::Id => "opportunity_id",
            SortKey::CompanyName => company_key_column(member),
            SortKey::CreateTime => "create_time",
            SortKey::TargetCloseDate => "target_close_date",
        }
    }

    fn type_name(self) -> &'static str {
        match self {
            SortKey::UpdateTime | SortKey::CreateTime => "timestamptz",
            SortKey::Id => "bigint",
            SortKey::CompanyName => "text",
            SortKey::TargetCloseDate => "date",
        }
    }

    /// Whether the value of a cursor is valid for this key. Page tokens are not signed, and the database casts the
    /// value.
    pub fn is_valid_cursor(self, PageCursor(value, id): &PageCursor) -> bool {
        if OpportunityId::from_number(*id).is_none() {
            return false;
        }
        match self {
            SortKey::UpdateTime | SortKey::CreateTime => value
                .parse()
                .is_ok_and(|time: DateTime<Utc>| is_valid_time(&time) && format_time(time) == *value),
            SortKey::Id => *value == id.to_string(),
            SortKey::CompanyName => !value.contains('\0'),
            SortKey::TargetCloseDate => value
                .parse()
                .is_ok_and(|day: NaiveDate| (1..=9999).contains(&day.year()) && day.to_string() == *value),
        }
    }

    /// The cursor of a page whose last entry this is.
    pub fn cursor(self, ListEntry { record, company_key }: &ListEntry) -> PageCursor {
        let value = match self {
            SortKey::UpdateTime => format_time(record.update_time()),
            SortKey::CreateTime => format_time(record.create_time()),
            SortKey::Id => record.id().number().to_string(),
            SortKey::CompanyName => company_key.clone(),
            SortKey::TargetCloseDate => close_date_column(record).to_string(),
        };
        PageCursor(value, record.id().number())
    }
}

/// A record in a list.
#[derive(Clone, Debug)]
pub struct ListEntry {
    pub record: Opportunity,
    /// The key that the list is sorted by: the stored one, which a row of an earlier version may lack (PLT-016).
    company_key: String,
}

impl ListEntry {
    pub(super) fn new(record: Opportunity, company_key: String) -> Self {
        Self { record, company_key }
    }
}

/// The order and the page of a list.
#[derive(Clone, Debug)]
pub struct PageRequest {
    pub sort_key: SortKey,
    pub descending: bool,
    /// The end of the page before.
    pub cursor: Option<PageCursor>,
    pub limit: i64,
}

/// Lists a page of the records that match the filter and are visible to the member.
pub async fn list_opportunities(
    tx: &mut Tx,
    context: QueryContext<'_>,
    filter: &OpportunityFilter,
    page: PageRequest,
) -> Result<Vec<ListEntry>, Error> {
    let mut query = QueryBuilder::default();
    push_list_query(&mut query, context, filter, page);
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.into_iter()
        .map(|row| {
            let mut record = row.try_get::<Json<Opportunity>, _>(0)?.0;
            record.set_flagged(row.try_get(1)?);
            Ok(ListEntry::new(record, row.try_get(2)?))
        })
        .collect()
}

pub(super) fn push_list_query(
    query: &mut QueryBuilder<Postgres>,
    context: QueryContext<'_>,
    filter: &OpportunityFilter,
    page: PageRequest,
) {
    let column = page.sort_key.column(context.member);
    query.push("SELECT record, ");
    context.push_is_flagged(query);
    let company_key = company_key_column(context.member);
    query.push(format_args!(", {company_key} FROM opportunity WHERE "));
    push_visibility_condition(query, context.member);
    push_filter_conditions(query, context, filter);
    let (after, direction) = if page.descending {
        ("<", "DESC")
    } else {
        (">", "ASC")
    };
    if let Some(PageCursor(value, id)) = page.cursor {
        query
            .push(format_args!(" AND ({column}, opportunity_id) {after} ("))
            .push_bind(value);
        query
            .push(format_args!("::{}, ", page.sort_key.type_name()))
            .push_bind(id)
            .push(")");
    }
    query.push(format_args!(
        " ORDER BY {column} {direction}, opportunity_id {direction} LIMIT "
    ));
    query.push_bind(page.limit);
}

/// Inserts a row into a job for each record that matches the filter and is visible to the member. Returns their number.
pub async fn insert_rows_of_list(
    tx: &mut Tx,
    context: QueryContext<'_>,
    filter: &OpportunityFilter,
    job: &Job,
) -> Result<u64, Error> {
    let mut query = QueryBuilder::new(
        "INSERT INTO bulk_row (account_id, bulk_job_id, number, content)
         SELECT account_id, ",
    );
    query.push_bind(job.id.clone());
    query.push(
        ", row_number() OVER (ORDER BY opportunity_id), to_jsonb('O' || opportunity_id) FROM opportunity WHERE ",
    );
    push_visibility_condition(&mut query, context.member);
    push_filter_conditions(&mut query, context, filter);
    Ok(query.build().execute(tx.conn()).await?.rows_affected())
}

/// Counts the records of each preset that are visible to the member (OPP-065).
pub async fn count_by_preset(
    tx: &mut Tx,
    context: QueryContext<'_>,
    presets: &[Preset],
) -> Result<Vec<i64>, Error> {
    let mut query = QueryBuilder::default();
    push_count_query(&mut query, context, presets);
    let row = query.build().fetch_one(tx.conn()).await?;
    (0..presets.len()).map(|index| Ok(row.try_get(index)?)).collect()
}

pub(super) fn push_count_query(
    query: &mut QueryBuilder<Postgres>,
    context: QueryContext<'_>,
    presets: &[Preset],
) {
    query.push("SELECT ");
    for (index, preset) in presets.iter().enumerate() {
        query.push(if index == 0 { "" } else { ", " });
        query.push("count(*) FILTER (WHERE ");
        context.push_preset_condition(query, *preset);
        query.push(")");
    }
    query.push(" FROM opportunity WHERE ");
    push_visibility_condition(query, context.member);
}

/// Appends the condition that a record is visible to the member (ACC-011, ACC-012). For AWS it repeats the condition of
/// row-level security on drafts, so that the partial indexes without drafts are used.
fn push_visibility_condition(query: &mut QueryBuilder<Postgres>, member: &Member) {
    match visibility_scope(member) {
        VisibilityScope::NoRecords => {
            query.push("false");
        }
        VisibilityScope::Account | VisibilityScope::Own => {
            query.push("account_id = ").push_bind(member.account.to_string());
        }
        VisibilityScope::Submitted => {
            query.push("review_status <> 'PENDING_SUBMISSION'");
        }
        VisibilityScope::FullVisibility => {
            query.push("review_status <> 'PENDING_SUBMISSION' AND visibility = 'FULL'");
        }
    }
    if visibility_scope(member) == VisibilityScope::Own {
        let member = member.id.to_string();
        query.push(" AND (owner_member_id = ").push_bind(member.clone());
        query.push(" OR created_by = ").push_bind(member.clone());
        query.push(" OR submitted_by = ").push_bind(member).push(")");
    }
}

/// The column with the comparison key of the company name as it is visible to the member (OPP-017).
fn company_key_column(member: &Member) -> &'static str {
    match member.side {
        Side::Partner => "company_key",
        Side::Aws => "company_key_for_aws",
    }
}

/// Appends the condition that the record has a search term that begins with `prefix` (OPP-064).
fn push_search_term_condition(query: &mut QueryBuilder<Postgres>, member: &Member, prefix: &str) {
    query.push(
        " AND EXISTS (SELECT FROM opportunity_word w WHERE w.account_id = opportunity.account_id
           AND w.opportunity_id = opportunity.opportunity_id AND ",
    );
    match member.side {
        Side::Partner => query
            .push("w.account_id = ")
            .push_bind(member.account.to_string()),
        Side::Aws => query.push("w.shown_to_aws"),
    };
    // U+10FFFF is the last code point, so every term with the prefix sorts before this end.
    let end = format!("{prefix}\u{10FFFF}");
    query.push(" AND w.word >= ").push_bind(prefix.to_owned());
    query.push(" AND w.word < ").push_bind(end).push(")");
}

fn push_filter_conditions(
    query: &mut QueryBuilder<Postgres>,
    context: QueryContext<'_>,
    filter: &OpportunityFilter,
) {
    if let Some(preset) = filter.preset {
        query.push(" AND ");
        context.push_preset_condition(query, preset);
    }
    for prefix in &filter.search_terms {
        push_search_term_condition(query, context.member, prefix);
    }
    if filter.without_active_owner {
        query.push(
            " AND NOT EXISTS (SELECT FROM directory_member m WHERE m.account_id = opportunity.account_id
               AND m.member_id = opportunity.owner_member_id AND m.is_active)",
        );
    }
    if let Some(ids) = &filter.ids {
        let ids: Vec<_> = ids.iter().map(|id| id.number()).collect();
        query.push(" AND opportunity_id = ANY(").push_bind(ids).push(")");
    }
    if !filter.stages.is_empty() {
        let stages: Vec<_> = filter.stages.iter().map(|stage| stage.name()).collect();
        query.push(" AND stage = ANY(").push_bind(stages).push(")");
    }
    if !filter.review_statuses.is_empty() {
        let statuses: Vec<_> = filter
            .review_statuses
            .iter()
            .map(|status| status.name())
            .collect();
        query
            .push(" AND review_status = ANY(")
            .push_bind(statuses)
            .push(")");
    }
    if !filter.company_keys.is_empty() {
        let column = company_key_column(context.member);
        // An empty key is that of a hidden name.
        query
            .push(format_args!(" AND {column} = ANY("))
            .push_bind(filter.company_keys.clone())
            .push(format_args!(") AND {column} <> ''"));
    }
    if !filter.partner_identifier_keys.is_empty() {
        // The second condition is that of the index.
        query
            .push(" AND partner_identifier_key = ANY(")
            .push_bind(filter.partner_identifier_keys.clone())
            .push(") AND partner_identifier_key <> ''");
    }
    if !filter.owners.is_empty() {
        let owners: Vec<_> = filter.owners.iter().map(ToString::to_string).collect();
        query
            .push(" AND owner_member_id = ANY(")
            .push_bind(owners)
            .push(")");
    }
    if !filter.origins.is_empty() {
        let origins: Vec<_> = filter.origins.iter().map(|origin| origin.name()).collect();
        query.push(" AND origin = ANY(").push_bind(origins).push(")");
    }
    for (column, span) in [("create_time", filter.created), ("update_time", filter.updated)] {
        if let Some(start) = span.start {
            query.push(format_args!(" AND {column} >= ")).push_bind(start);
        }
        if let Some(end) = span.end {
            query.push(format_args!(" AND {column} < ")).push_bind(end);
        }
    }
    if let Some(start) = filter.closes.start {
        query.push(" AND target_close_date >= ").push_bind(start);
    }
    if let Some(end) = filter.closes.end {
        query.push(" AND target_close_date <= ").push_bind(end);
    }
    if filter.closes.start.is_some() || filter.closes.end.is_some() {
        query.push(" AND target_close_date < ").push_bind(NO_CLOSE_DATE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plt_005_cursor_must_be_one_that_a_page_could_have() {
        let is_valid = |key: SortKey, value: &str, id| key.is_valid_cursor(&PageCursor(value.to_owned(), id));
        assert!(is_valid(SortKey::UpdateTime, "2026-11-30T23:59:59.999999Z", 1));
        assert!(is_valid(SortKey::Id, "5", 5));
        assert!(is_valid(SortKey::CompanyName, "alder", 5));
        assert!(is_valid(SortKey::TargetCloseDate, "2027-06-30", 5));
        for (key, value, id) in [
            (SortKey::UpdateTime, "2026-11-30T23:59:60.999999Z", 1),
            (SortKey::CreateTime, "2026-11-30T23:59:60.000000Z", 1),
            (SortKey::CreateTime, "2026-11-30T23:59:59Z", 1),
            (SortKey::Id, "+5", 5),
            (SortKey::Id, "6", 5),
            (SortKey::CompanyName, "alder", -1),
            (SortKey::CompanyName, "al\0der", 5),
            (SortKey::TargetCloseDate, "+2027-06-30", 5),
        ] {
            assert!(!is_valid(key, value, id), "{value} {id}");
        }
    }
}
