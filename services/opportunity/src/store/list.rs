//! The one query that is put together at run time: lists with filters, five orders and two directions.

use chrono::{DateTime, Datelike as _, NaiveDate, SecondsFormat, Utc};
use cosell_grpc::convert::{Span, is_stored};
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder, Row as _};

use crate::domain::Opportunity;
use crate::domain::values::{ReviewStatus, Stage};

/// Which records to list. Empty lists and `None` ask for nothing; `Some` empty list of ids finds nothing.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only records of this account.
    pub account: Option<AccountId>,
    /// Only records that this member owns, created or submitted.
    pub own_of: Option<MemberId>,
    /// Only records with full visibility.
    pub fully_visible: bool,
    pub without_active_owner: bool,
    pub ids: Option<Vec<OpportunityId>>,
    pub stages: Vec<Stage>,
    pub review_statuses: Vec<ReviewStatus>,
    pub company_names: Vec<String>,
    pub created: Span<DateTime<Utc>>,
    pub updated: Span<DateTime<Utc>>,
    pub closes: Span<NaiveDate>,
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    UpdateTime,
    Id,
    CompanyName,
    CreateTime,
    TargetCloseDate,
}

fn text_of(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The last row of a page: its value of the sort key as text, and its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Last(String, i64);

impl Key {
    fn column(self) -> &'static str {
        match self {
            Key::UpdateTime => "update_time",
            Key::Id => "opportunity_id",
            Key::CompanyName => "company_name",
            Key::CreateTime => "create_time",
            Key::TargetCloseDate => "target_close_date",
        }
    }

    fn type_name(self) -> &'static str {
        match self {
            Key::UpdateTime | Key::CreateTime => "timestamptz",
            Key::Id => "bigint",
            Key::CompanyName => "text",
            Key::TargetCloseDate => "date",
        }
    }

    /// Whether a page by this key could end there: a token is not signed, and its value is cast by the database.
    pub fn is_of(self, Last(value, _): &Last) -> bool {
        match self {
            Key::UpdateTime | Key::CreateTime => value
                .parse()
                .is_ok_and(|time: DateTime<Utc>| is_stored(&time) && text_of(time) == *value),
            Key::Id => value.parse::<i64>().is_ok(),
            Key::CompanyName => !value.contains('\0'),
            Key::TargetCloseDate => value
                .parse()
                .is_ok_and(|day: NaiveDate| (1..=9999).contains(&day.year()) && day.to_string() == *value),
        }
    }

    /// Where a page ends that ends with this record.
    pub fn last(self, record: &Opportunity) -> Last {
        let details = record.details();
        let value = match self {
            Key::UpdateTime => text_of(record.update_time()),
            Key::CreateTime => text_of(record.create_time()),
            Key::Id => record.id().number().to_string(),
            Key::CompanyName => details.customer.account.company_name.reveal().clone(),
            Key::TargetCloseDate => details
                .life_cycle
                .target_close_date
                .unwrap_or_default()
                .to_string(),
        };
        Last(value, record.id().number())
    }
}

/// At most `limit` records after `last`.
pub async fn list(
    tx: &mut Tx,
    filter: &Filter,
    key: Key,
    descending: bool,
    last: Option<Last>,
    limit: i64,
) -> Result<Vec<Opportunity>, Error> {
    let mut query = QueryBuilder::new("SELECT record FROM opportunity WHERE true");
    conditions(&mut query, filter);
    let (after, direction) = if descending { ("<", "DESC") } else { (">", "ASC") };
    if let Some(Last(value, id)) = last {
        query
            .push(format_args!(" AND ({}, opportunity_id) {after} (", key.column()))
            .push_bind(value);
        query
            .push(format_args!("::{}, ", key.type_name()))
            .push_bind(id)
            .push(")");
    }
    query.push(format_args!(
        " ORDER BY {} {direction}, opportunity_id {direction} LIMIT ",
        key.column()
    ));
    query.push_bind(limit);
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.into_iter()
        .map(|row| Ok(row.try_get::<Json<Opportunity>, _>(0)?.0))
        .collect()
}

fn conditions(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    if let Some(account) = &filter.account {
        query.push(" AND account_id = ").push_bind(account.to_string());
    }
    if let Some(member) = &filter.own_of {
        let member = member.to_string();
        query.push(" AND (owner_member_id = ").push_bind(member.clone());
        query.push(" OR created_by = ").push_bind(member.clone());
        query.push(" OR submitted_by = ").push_bind(member).push(")");
    }
    if filter.fully_visible {
        query.push(" AND visibility = 'FULL'");
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
    if !filter.company_names.is_empty() {
        query
            .push(" AND company_name = ANY(")
            .push_bind(filter.company_names.clone())
            .push(")");
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
}
