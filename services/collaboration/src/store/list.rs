//! Queries of lists, which are built at run time: engagements, invitations, snapshots, snapshot jobs and channels.

use chrono::{DateTime, Utc};
use cosell_grpc::convert::is_valid_time;
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId, ParticipantType};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder, Row as _};

use crate::domain::values::{ChannelState, EngagementInvitationState, SnapshotJobState, SnapshotTemplate};
use crate::domain::{Channel, Engagement, Invitation, Snapshot, SnapshotJob, SnapshotSubject};

/// The position after the last row of a page: the creation time that rows are sorted by, and the id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TimeCursor(DateTime<Utc>, String);

impl TimeCursor {
    pub fn of_engagement(last: &Engagement) -> Self {
        Self(last.create_time(), last.id().to_string())
    }

    pub fn of_invitation(last: &Invitation) -> Self {
        Self(last.create_time(), last.id().to_string())
    }

    pub fn of_job(last: &SnapshotJob) -> Self {
        Self(last.create_time(), last.id().to_string())
    }

    pub fn of_channel(last: &Channel) -> Self {
        Self(last.create_time(), last.id().to_string())
    }

    /// Whether the database accepts the cursor's values.
    pub fn is_valid(&self) -> bool {
        is_valid_time(&self.0) && !self.1.contains('\0')
    }
}

/// The engagements, snapshot jobs and channels that a list shows to its caller.
#[derive(Clone, Debug)]
pub enum VisibilityScope {
    /// Those of the account that this member created or accepted; also the channels that it is a member of.
    Member(AccountId, MemberId),
    /// Those of the account.
    Account(AccountId),
    /// Those of all accounts.
    All,
}

impl VisibilityScope {
    fn push_filter(&self, query: &mut QueryBuilder<Postgres>, table: &str) {
        let (account, member) = match self {
            VisibilityScope::Member(account, member) => (account, Some(member)),
            VisibilityScope::Account(account) => (account, None),
            VisibilityScope::All => return,
        };
        query
            .push(format!(" AND {table}.account_id = "))
            .push_bind(account.to_string());
        if let Some(member) = member {
            query
                .push(format!(" AND {table}.by_member_id = "))
                .push_bind(member.to_string());
        }
    }
}

/// Which engagements to list. An empty list does not filter.
#[derive(Clone, Debug, Default)]
pub struct EngagementFilter {
    pub ids: Vec<String>,
    pub created_by: Vec<String>,
    pub not_created_by: Vec<String>,
    pub opportunities: Option<Vec<OpportunityId>>,
    pub order: CreateTimeOrder,
}

#[derive(Clone, Copy, Debug, Default)]
pub enum CreateTimeOrder {
    #[default]
    NewestFirst,
    OldestFirst,
}

/// At most `limit` engagements after `last`.
pub async fn list_engagements(
    tx: &mut Tx,
    scope: &VisibilityScope,
    filter: &EngagementFilter,
    last: Option<TimeCursor>,
    limit: i64,
) -> Result<Vec<Engagement>, Error> {
    // A partner account finds engagements by its membership rows; AWS has none and reads the engagements themselves.
    let (from, table, opportunity) = match scope {
        VisibilityScope::All => ("engagement e", "e", "e.opportunity_id"),
        _ => (
            "engagement_member m JOIN engagement e ON e.account_id = m.owner_account_id AND e.engagement_id = m.engagement_id",
            "m",
            "m.opportunity_id",
        ),
    };
    let mut query = QueryBuilder::new(format!("SELECT e.record FROM {from} WHERE true"));
    scope.push_filter(&mut query, table);
    if table == "m" {
        query.push(" AND m.state = 'ACTIVE'");
    }
    if !filter.ids.is_empty() {
        query
            .push(format!(" AND {table}.engagement_id = ANY("))
            .push_bind(filter.ids.clone())
            .push(")");
    }
    if !filter.created_by.is_empty() {
        query
            .push(" AND e.account_id = ANY(")
            .push_bind(filter.created_by.clone())
            .push(")");
    }
    if !filter.not_created_by.is_empty() {
        query
            .push(" AND e.account_id <> ALL(")
            .push_bind(filter.not_created_by.clone())
            .push(")");
    }
    if let Some(ids) = &filter.opportunities {
        let ids: Vec<_> = ids.iter().map(|id| id.number()).collect();
        query
            .push(format!(" AND {opportunity} = ANY("))
            .push_bind(ids)
            .push(")");
    }
    let (time, id) = (format!("{table}.create_time"), format!("{table}.engagement_id"));
    push_page(&mut query, (&time, &id), filter.order, last, limit);
    fetch_records(tx, query).await
}

/// Which invitations to list. An empty list does not filter.
#[derive(Clone, Debug, Default)]
pub struct InvitationFilter {
    /// Only those that the caller's account sent, or only those that it received.
    pub participant: Option<ParticipantType>,
    pub states: Vec<EngagementInvitationState>,
    pub engagements: Vec<String>,
}

/// At most `limit` invitations after `last`, newest first, with their content. Filters by the state at `now`.
pub async fn list_invitations(
    tx: &mut Tx,
    account: Option<&AccountId>,
    filter: &InvitationFilter,
    now: DateTime<Utc>,
    last: Option<TimeCursor>,
    limit: i64,
) -> Result<Vec<(Invitation, Option<Vec<u8>>)>, Error> {
    let mut query = QueryBuilder::new("SELECT record, shown FROM invitation WHERE true");
    if let Some(account) = account {
        let (received, sent) = (" AND account_id = ", " AND sender_account_id = ");
        match filter.participant {
            Some(ParticipantType::Receiver) => {
                query.push(received).push_bind(account.to_string());
            }
            Some(ParticipantType::Sender) => {
                query.push(sent).push_bind(account.to_string());
            }
            None => {
                query.push(" AND (account_id = ").push_bind(account.to_string());
                query
                    .push(" OR sender_account_id = ")
                    .push_bind(account.to_string())
                    .push(")");
            }
        }
    }
    if !filter.engagements.is_empty() {
        query
            .push(" AND engagement_id = ANY(")
            .push_bind(filter.engagements.clone())
            .push(")");
    }
    if !filter.states.is_empty() {
        let states: Vec<_> = filter.states.iter().map(|state| state.name()).collect();
        // An invitation is expired from its deadline on, even before the worker has stored the expiry (COL-010).
        query
            .push(" AND CASE WHEN state = 'PENDING' AND expire_time <= ")
            .push_bind(now)
            .push(" THEN 'EXPIRED' ELSE state END = ANY(")
            .push_bind(states)
            .push(")");
    }
    push_page(
        &mut query,
        ("create_time", "invitation_id"),
        CreateTimeOrder::NewestFirst,
        last,
        limit,
    );
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.into_iter()
        .map(|row| Ok((row.try_get::<Json<Invitation>, _>(0)?.0, row.try_get(1)?)))
        .collect()
}

/// The position after the last row of a page of snapshots: creation time, opportunity, template and revision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SnapshotCursor(DateTime<Utc>, i64, SnapshotTemplate, i64);

impl SnapshotCursor {
    pub fn of(last: &Snapshot) -> Self {
        let subject = &last.subject;
        Self(
            last.create_time,
            subject.opportunity.number(),
            subject.template,
            last.revision,
        )
    }

    /// Whether the database accepts the cursor's values.
    pub fn is_valid(&self) -> bool {
        is_valid_time(&self.0)
    }
}

/// Which snapshots of an engagement to list.
#[derive(Clone, Debug, Default)]
pub struct SnapshotFilter {
    pub opportunity: Option<OpportunityId>,
    pub template: Option<SnapshotTemplate>,
    /// Only the newest of each opportunity and template.
    pub newest_only: bool,
}

/// At most `limit` snapshots of an engagement after `last`, newest first. Row-level security selects those that the
/// account has access to.
pub async fn list_snapshots(
    tx: &mut Tx,
    engagement: &str,
    filter: &SnapshotFilter,
    last: Option<SnapshotCursor>,
    limit: i64,
) -> Result<Vec<Snapshot>, Error> {
    let mut query = QueryBuilder::new(
        "SELECT s.account_id, s.engagement_id, s.opportunity_id, s.template, s.revision, s.create_time, s.source_revision
         FROM snapshot s WHERE s.engagement_id = ",
    );
    query.push_bind(engagement.to_owned());
    if let Some(opportunity) = filter.opportunity {
        query
            .push(" AND s.opportunity_id = ")
            .push_bind(opportunity.number());
    }
    if let Some(template) = filter.template {
        query.push(" AND s.template = ").push_bind(template.name());
    }
    if filter.newest_only {
        query.push(
            " AND NOT EXISTS (SELECT FROM snapshot n WHERE n.account_id = s.account_id AND n.engagement_id = s.engagement_id
               AND n.opportunity_id = s.opportunity_id AND n.template = s.template AND n.revision > s.revision)",
        );
    }
    if let Some(SnapshotCursor(time, opportunity, template, revision)) = last {
        query
            .push(" AND (s.create_time, s.opportunity_id, s.template, s.revision) < (")
            .push_bind(time);
        query.push(", ").push_bind(opportunity);
        query.push(", ").push_bind(template.name());
        query.push(", ").push_bind(revision).push(")");
    }
    query
        .push(" ORDER BY s.create_time DESC, s.opportunity_id DESC, s.template DESC, s.revision DESC LIMIT ")
        .push_bind(limit);
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.iter().map(snapshot_from_row).collect()
}

fn snapshot_from_row(row: &PgRow) -> Result<Snapshot, Error> {
    let corrupt = |error| Error::corrupt("id", error);
    let template: String = row.try_get(3)?;
    let opportunity: i64 = row.try_get(2)?;
    Ok(Snapshot {
        subject: SnapshotSubject {
            account: row.try_get::<String, _>(0)?.parse().map_err(corrupt)?,
            engagement: row.try_get::<String, _>(1)?.parse().map_err(corrupt)?,
            opportunity: OpportunityId::from_number(opportunity)
                .ok_or_else(|| Error::corrupt("opportunity_id", opportunity))?,
            template: SnapshotTemplate::from_name(&template)
                .ok_or_else(|| Error::corrupt("template", template))?,
        },
        revision: row.try_get(4)?,
        create_time: row.try_get(5)?,
        source_revision: row.try_get(6)?,
    })
}

/// At most `limit` jobs after `last`, newest first.
pub async fn list_jobs(
    tx: &mut Tx,
    scope: &VisibilityScope,
    engagement: &str,
    state: Option<SnapshotJobState>,
    last: Option<TimeCursor>,
    limit: i64,
) -> Result<Vec<SnapshotJob>, Error> {
    let mut query = QueryBuilder::new("SELECT j.record FROM snapshot_job j WHERE true");
    scope.push_filter(&mut query, "j");
    if !engagement.is_empty() {
        query
            .push(" AND j.engagement_id = ")
            .push_bind(engagement.to_owned());
    }
    if let Some(state) = state {
        query.push(" AND j.state = ").push_bind(state.name());
    }
    push_page(
        &mut query,
        ("j.create_time", "j.snapshot_job_id"),
        CreateTimeOrder::NewestFirst,
        last,
        limit,
    );
    fetch_records(tx, query).await
}

/// Which channels to list. An empty list does not filter.
#[derive(Clone, Debug, Default)]
pub struct ChannelFilter {
    pub states: Vec<ChannelState>,
    pub opportunity: Option<OpportunityId>,
}

/// At most `limit` channels after `last`, newest first.
pub async fn list_channels(
    tx: &mut Tx,
    scope: &VisibilityScope,
    filter: &ChannelFilter,
    last: Option<TimeCursor>,
    limit: i64,
) -> Result<Vec<Channel>, Error> {
    let mut query = QueryBuilder::new("SELECT c.record FROM channel c WHERE true");
    if let VisibilityScope::Member(account, _) | VisibilityScope::Account(account) = scope {
        query.push(" AND c.account_id = ").push_bind(account.to_string());
    }
    if let VisibilityScope::Member(account, member) = scope {
        query
            .push(" AND (c.requested_by = ")
            .push_bind(member.to_string());
        query.push(
            " OR EXISTS (SELECT FROM channel_member m WHERE m.account_id = c.account_id AND m.channel_id = c.channel_id
               AND m.member_account_id = ",
        );
        query.push_bind(account.to_string());
        query
            .push(" AND m.member_id = ")
            .push_bind(member.to_string())
            .push("))");
    }
    if !filter.states.is_empty() {
        let states: Vec<_> = filter.states.iter().map(|state| state.name()).collect();
        query.push(" AND c.state = ANY(").push_bind(states).push(")");
    }
    if let Some(opportunity) = filter.opportunity {
        query
            .push(" AND c.opportunity_id = ")
            .push_bind(opportunity.number());
    }
    push_page(
        &mut query,
        ("c.create_time", "c.channel_id"),
        CreateTimeOrder::NewestFirst,
        last,
        limit,
    );
    fetch_records(tx, query).await
}

/// Appends the start position, the order and the limit of a page to a query.
fn push_page(
    query: &mut QueryBuilder<Postgres>,
    (time, id): (&str, &str),
    order: CreateTimeOrder,
    last: Option<TimeCursor>,
    limit: i64,
) {
    let (comparison, order) = match order {
        CreateTimeOrder::NewestFirst => ("<", "DESC"),
        CreateTimeOrder::OldestFirst => (">", "ASC"),
    };
    if let Some(TimeCursor(last_time, last_id)) = last {
        query
            .push(format!(" AND ({time}, {id}) {comparison} ("))
            .push_bind(last_time);
        query.push(", ").push_bind(last_id).push(")");
    }
    query
        .push(format!(" ORDER BY {time} {order}, {id} {order} LIMIT "))
        .push_bind(limit);
}

async fn fetch_records<T: DeserializeOwned + Send + Unpin + 'static>(
    tx: &mut Tx,
    mut query: QueryBuilder<Postgres>,
) -> Result<Vec<T>, Error> {
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.into_iter()
        .map(|row| Ok(row.try_get::<Json<T>, _>(0)?.0))
        .collect()
}
