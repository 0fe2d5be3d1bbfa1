//! The queries that are put together at run time: lists with filters, presets and words, in five orders and two
//! directions, and counts.

use chrono::{DateTime, Datelike as _, NaiveDate, SecondsFormat, Utc};
use cosell_grpc::convert::{Span, is_stored};
use cosell_store::{Error, Tx};
use cosell_types::{ClosedList as _, Member, MemberId, OpportunityId, Side};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder, Row as _};

use super::opportunities::{NO_CLOSE_DATE, close_date};
pub use super::presets::Asked;
use crate::domain::Opportunity;
use crate::domain::access::{Reach, reach};
use crate::domain::job::Job;
use crate::domain::values::{Origin, Preset, ReviewStatus, Stage};

/// Which records to list. Empty lists and `None` ask for nothing; `Some` empty list of ids finds nothing.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub preset: Option<Preset>,
    /// Records have a word that begins with each of these.
    pub words: Vec<String>,
    pub without_active_owner: bool,
    pub ids: Option<Vec<OpportunityId>>,
    pub stages: Vec<Stage>,
    pub review_statuses: Vec<ReviewStatus>,
    pub company_names: Vec<String>,
    pub owners: Vec<MemberId>,
    pub origins: Vec<Origin>,
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
    fn column(self, member: &Member) -> &'static str {
        match self {
            Key::UpdateTime => "update_time",
            Key::Id => "opportunity_id",
            Key::CompanyName => company_name(member),
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
    pub fn last(self, member: &Member, record: &Opportunity) -> Last {
        let details = record.details();
        let value = match self {
            Key::UpdateTime => text_of(record.update_time()),
            Key::CreateTime => text_of(record.create_time()),
            Key::Id => record.id().number().to_string(),
            Key::CompanyName if details.is_national_security() && member.side == Side::Aws => String::new(),
            Key::CompanyName => details.customer.account.company_name.reveal().clone(),
            Key::TargetCloseDate => close_date(record).to_string(),
        };
        Last(value, record.id().number())
    }
}

/// Which part of a list, in which order.
#[derive(Clone, Debug)]
pub struct Page {
    pub key: Key,
    pub descending: bool,
    /// The row that it begins after.
    pub last: Option<Last>,
    /// The most rows.
    pub limit: i64,
}

/// A page of the records that fulfil the conditions, of those that the member may see.
pub async fn list(
    tx: &mut Tx,
    asked: Asked<'_>,
    filter: &Filter,
    page: Page,
) -> Result<Vec<Opportunity>, Error> {
    let mut query = QueryBuilder::default();
    listing(&mut query, asked, filter, page);
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.into_iter()
        .map(|row| {
            let mut record = row.try_get::<Json<Opportunity>, _>(0)?.0;
            record.set_flagged(row.try_get(1)?);
            Ok(record)
        })
        .collect()
}

pub(super) fn listing(query: &mut QueryBuilder<Postgres>, asked: Asked<'_>, filter: &Filter, page: Page) {
    let column = page.key.column(asked.by);
    query.push("SELECT record, ");
    asked.is_flagged(query);
    query.push(" FROM opportunity WHERE ");
    visible(query, asked.by);
    conditions(query, asked, filter);
    let (after, direction) = if page.descending {
        ("<", "DESC")
    } else {
        (">", "ASC")
    };
    if let Some(Last(value, id)) = page.last {
        query
            .push(format_args!(" AND ({column}, opportunity_id) {after} ("))
            .push_bind(value);
        query
            .push(format_args!("::{}, ", page.key.type_name()))
            .push_bind(id)
            .push(")");
    }
    query.push(format_args!(
        " ORDER BY {column} {direction}, opportunity_id {direction} LIMIT "
    ));
    query.push_bind(page.limit);
}

/// Makes rows of a job of the records that fulfil the conditions, of those that the member may see; how many they are.
pub async fn write_rows(tx: &mut Tx, asked: Asked<'_>, filter: &Filter, job: &Job) -> Result<u64, Error> {
    let mut query = QueryBuilder::new(
        "INSERT INTO bulk_row (account_id, bulk_job_id, number, content)
         SELECT account_id, ",
    );
    query.push_bind(job.id.clone());
    query.push(
        ", row_number() OVER (ORDER BY opportunity_id), to_jsonb('O' || opportunity_id) FROM opportunity WHERE ",
    );
    visible(&mut query, asked.by);
    conditions(&mut query, asked, filter);
    Ok(query.build().execute(tx.conn()).await?.rows_affected())
}

/// How many records each preset has, of those that the member may see (OPP-065).
pub async fn count(tx: &mut Tx, asked: Asked<'_>, presets: &[Preset]) -> Result<Vec<i64>, Error> {
    let mut query = QueryBuilder::default();
    counting(&mut query, asked, presets);
    let row = query.build().fetch_one(tx.conn()).await?;
    (0..presets.len()).map(|index| Ok(row.try_get(index)?)).collect()
}

pub(super) fn counting(query: &mut QueryBuilder<Postgres>, asked: Asked<'_>, presets: &[Preset]) {
    query.push("SELECT ");
    for (index, preset) in presets.iter().enumerate() {
        query.push(if index == 0 { "" } else { ", " });
        query.push("count(*) FILTER (WHERE ");
        asked.condition(query, *preset);
        query.push(")");
    }
    query.push(" FROM opportunity WHERE ");
    visible(query, asked.by);
}

/// What the member may see at all (ACC-011, ACC-012). For AWS the drafts are named as row-level security hides them, so
/// that the indexes without drafts serve.
fn visible(query: &mut QueryBuilder<Postgres>, member: &Member) {
    match reach(member) {
        Reach::Nothing => {
            query.push("false");
        }
        Reach::Account | Reach::Own => {
            query.push("account_id = ").push_bind(member.account.to_string());
        }
        Reach::Submitted => {
            query.push("review_status <> 'PENDING_SUBMISSION'");
        }
        Reach::FullVisibility => {
            query.push("review_status <> 'PENDING_SUBMISSION' AND visibility = 'FULL'");
        }
    }
    if reach(member) == Reach::Own {
        let member = member.id.to_string();
        query.push(" AND (owner_member_id = ").push_bind(member.clone());
        query.push(" OR created_by = ").push_bind(member.clone());
        query.push(" OR submitted_by = ").push_bind(member).push(")");
    }
}

/// The company as the member may see it (OPP-017).
fn company_name(member: &Member) -> &'static str {
    match member.side {
        Side::Partner => "company_name",
        Side::Aws => "company_name_for_aws",
    }
}

/// The record has a word that begins with this one (OPP-064).
fn word(query: &mut QueryBuilder<Postgres>, member: &Member, word: &str) {
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
    // No character of a word is behind the last one that there is.
    let end = format!("{word}\u{10FFFF}");
    query.push(" AND w.word >= ").push_bind(word.to_owned());
    query.push(" AND w.word < ").push_bind(end).push(")");
}

fn conditions(query: &mut QueryBuilder<Postgres>, asked: Asked<'_>, filter: &Filter) {
    if let Some(preset) = filter.preset {
        query.push(" AND ");
        asked.condition(query, preset);
    }
    for beginning in &filter.words {
        word(query, asked.by, beginning);
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
        query.push(format_args!(" AND {} = ANY(", company_name(asked.by)));
        query.push_bind(filter.company_names.clone()).push(")");
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
