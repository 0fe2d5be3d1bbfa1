//! The queries that are put together at run time: engagements, invitations, snapshots, jobs.

use chrono::{DateTime, Utc};
use cosell_grpc::convert::is_stored;
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _, MemberId, OpportunityId, ParticipantType};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder, Row as _};

use crate::domain::values::{ChannelState, EngagementInvitationState, SnapshotJobState, SnapshotTemplate};
use crate::domain::{Channel, Engagement, Invitation, Snapshot, SnapshotJob, Subject};

/// The last row of a page: the time that it is sorted by, and its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Last(DateTime<Utc>, String);

impl Last {
    /// Where a page ends that ends with this engagement.
    pub fn of_engagement(last: &Engagement) -> Self {
        Self(last.create_time(), last.id().to_string())
    }

    /// Where a page ends that ends with this invitation.
    pub fn of_invitation(last: &Invitation) -> Self {
        Self(last.create_time(), last.id().to_string())
    }

    /// Where a page ends that ends with this job.
    pub fn of_job(last: &SnapshotJob) -> Self {
        Self(last.create_time(), last.id().to_string())
    }

    /// Where a page ends that ends with this channel.
    pub fn of_channel(last: &Channel) -> Self {
        Self(last.create_time(), last.id().to_string())
    }

    /// Whether a page could end there.
    pub fn is_sound(&self) -> bool {
        is_stored(&self.0) && !self.1.contains('\0')
    }
}

/// Whose engagements or jobs: those of a company that a member works on who does not see all of them, those of a
/// company, or all.
#[derive(Clone, Debug)]
pub enum Reach {
    /// Of the company, begun or accepted by this member.
    Own(AccountId, MemberId),
    /// Of the company.
    Company(AccountId),
    /// Of every company.
    All,
}

impl Reach {
    fn narrow(&self, query: &mut QueryBuilder<Postgres>, table: &str) {
        let (account, by) = match self {
            Reach::Own(account, by) => (account, Some(by)),
            Reach::Company(account) => (account, None),
            Reach::All => return,
        };
        query
            .push(format!(" AND {table}.account_id = "))
            .push_bind(account.to_string());
        if let Some(by) = by {
            query
                .push(format!(" AND {table}.by_member_id = "))
                .push_bind(by.to_string());
        }
    }
}

/// Which engagements to list. Empty lists ask for nothing.
#[derive(Clone, Debug, Default)]
pub struct EngagementFilter {
    pub ids: Vec<String>,
    pub begun_by: Vec<String>,
    pub not_begun_by: Vec<String>,
    pub opportunities: Option<Vec<OpportunityId>>,
    pub order: Order,
}

/// Which rows come first.
#[derive(Clone, Copy, Debug, Default)]
pub enum Order {
    /// Those that came last.
    #[default]
    Newest,
    /// Those that came first.
    Oldest,
}

/// At most `limit` engagements after `last`.
pub async fn engagements(
    tx: &mut Tx,
    reach: &Reach,
    filter: &EngagementFilter,
    last: Option<Last>,
    limit: i64,
) -> Result<Vec<Engagement>, Error> {
    // The rows of companies lead to those of engagements; of AWS, which sees all, there is none.
    let (from, of, opportunity) = match reach {
        Reach::All => ("engagement e", "e", "e.opportunity_id"),
        _ => (
            "engagement_member m JOIN engagement e ON e.account_id = m.owner_account_id AND e.engagement_id = m.engagement_id",
            "m",
            "m.opportunity_id",
        ),
    };
    let mut query = QueryBuilder::new(format!("SELECT e.record FROM {from} WHERE true"));
    reach.narrow(&mut query, of);
    if of == "m" {
        query.push(" AND m.state = 'ACTIVE'");
    }
    if !filter.ids.is_empty() {
        query
            .push(format!(" AND {of}.engagement_id = ANY("))
            .push_bind(filter.ids.clone())
            .push(")");
    }
    if !filter.begun_by.is_empty() {
        query
            .push(" AND e.account_id = ANY(")
            .push_bind(filter.begun_by.clone())
            .push(")");
    }
    if !filter.not_begun_by.is_empty() {
        query
            .push(" AND e.account_id <> ALL(")
            .push_bind(filter.not_begun_by.clone())
            .push(")");
    }
    if let Some(ids) = &filter.opportunities {
        let ids: Vec<_> = ids.iter().map(|id| id.number()).collect();
        query
            .push(format!(" AND {opportunity} = ANY("))
            .push_bind(ids)
            .push(")");
    }
    let (time, id) = (format!("{of}.create_time"), format!("{of}.engagement_id"));
    page(&mut query, (&time, &id), filter.order, last, limit);
    records(tx, query).await
}

/// Which invitations to list. Empty lists ask for nothing.
#[derive(Clone, Debug, Default)]
pub struct InvitationFilter {
    /// Which of the two companies this one is.
    pub participant: Option<ParticipantType>,
    pub states: Vec<EngagementInvitationState>,
    pub engagements: Vec<String>,
}

/// At most `limit` invitations after `last`, the newest first, as they stand now, with what the receiver may know.
pub async fn invitations(
    tx: &mut Tx,
    account: Option<&AccountId>,
    filter: &InvitationFilter,
    now: DateTime<Utc>,
    last: Option<Last>,
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
        // Over is over, also before anybody has noted it (COL-010).
        query
            .push(" AND CASE WHEN state = 'PENDING' AND expire_time <= ")
            .push_bind(now)
            .push(" THEN 'EXPIRED' ELSE state END = ANY(")
            .push_bind(states)
            .push(")");
    }
    page(
        &mut query,
        ("create_time", "invitation_id"),
        Order::Newest,
        last,
        limit,
    );
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.into_iter()
        .map(|row| Ok((row.try_get::<Json<Invitation>, _>(0)?.0, row.try_get(1)?)))
        .collect()
}

/// The last row of a page of snapshots: the time, the opportunity, the part of it, the number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LastSnapshot(DateTime<Utc>, i64, SnapshotTemplate, i64);

impl LastSnapshot {
    /// Where a page ends that ends with this one.
    pub fn of(last: &Snapshot) -> Self {
        let of = &last.subject;
        Self(
            last.create_time,
            of.opportunity.number(),
            of.template,
            last.revision,
        )
    }

    /// Whether a page could end there.
    pub fn is_sound(&self) -> bool {
        is_stored(&self.0)
    }
}

/// The condition of a filter by one opportunity: none without any. An id that no record can have is nobody's, and finds
/// nothing.
pub fn about(id: &str) -> Option<i64> {
    (!id.is_empty()).then(|| id.parse::<OpportunityId>().map_or(0, OpportunityId::number))
}

/// Which snapshots of an engagement to list.
#[derive(Clone, Debug, Default)]
pub struct SnapshotFilter {
    pub opportunity: Option<i64>,
    pub template: Option<SnapshotTemplate>,
    /// Only the newest of each opportunity and part.
    pub newest_only: bool,
}

/// At most `limit` snapshots of an engagement after `last`, the newest first, as far as row-level security shows them.
pub async fn snapshots(
    tx: &mut Tx,
    engagement: &str,
    filter: &SnapshotFilter,
    last: Option<LastSnapshot>,
    limit: i64,
) -> Result<Vec<Snapshot>, Error> {
    let mut query = QueryBuilder::new(
        "SELECT s.account_id, s.engagement_id, s.opportunity_id, s.template, s.revision, s.create_time, s.source_revision
         FROM snapshot s WHERE s.engagement_id = ",
    );
    query.push_bind(engagement.to_owned());
    if let Some(opportunity) = filter.opportunity {
        query.push(" AND s.opportunity_id = ").push_bind(opportunity);
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
    if let Some(LastSnapshot(time, opportunity, template, revision)) = last {
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
    rows.iter().map(snapshot).collect()
}

fn snapshot(row: &PgRow) -> Result<Snapshot, Error> {
    let corrupt = |error| Error::corrupt("id", error);
    let template: String = row.try_get(3)?;
    let opportunity: i64 = row.try_get(2)?;
    Ok(Snapshot {
        subject: Subject {
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

/// At most `limit` jobs after `last`, the newest first.
pub async fn jobs(
    tx: &mut Tx,
    reach: &Reach,
    engagement: &str,
    state: Option<SnapshotJobState>,
    last: Option<Last>,
    limit: i64,
) -> Result<Vec<SnapshotJob>, Error> {
    let mut query = QueryBuilder::new("SELECT j.record FROM snapshot_job j WHERE true");
    reach.narrow(&mut query, "j");
    if !engagement.is_empty() {
        query
            .push(" AND j.engagement_id = ")
            .push_bind(engagement.to_owned());
    }
    if let Some(state) = state {
        query.push(" AND j.state = ").push_bind(state.name());
    }
    page(
        &mut query,
        ("j.create_time", "j.snapshot_job_id"),
        Order::Newest,
        last,
        limit,
    );
    records(tx, query).await
}

/// Which channels to list. Empty lists ask for nothing.
#[derive(Clone, Debug, Default)]
pub struct ChannelFilter {
    pub states: Vec<ChannelState>,
    pub opportunity: Option<i64>,
}

/// At most `limit` channels after `last`, the newest first.
pub async fn channels(
    tx: &mut Tx,
    reach: &Reach,
    filter: &ChannelFilter,
    last: Option<Last>,
    limit: i64,
) -> Result<Vec<Channel>, Error> {
    let mut query = QueryBuilder::new("SELECT c.record FROM channel c WHERE true");
    if let Reach::Own(account, _) | Reach::Company(account) = reach {
        query.push(" AND c.account_id = ").push_bind(account.to_string());
    }
    if let Reach::Own(account, member) = reach {
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
        query.push(" AND c.opportunity_id = ").push_bind(opportunity);
    }
    page(
        &mut query,
        ("c.create_time", "c.channel_id"),
        Order::Newest,
        last,
        limit,
    );
    records(tx, query).await
}

fn page(
    query: &mut QueryBuilder<Postgres>,
    (time, id): (&str, &str),
    order: Order,
    last: Option<Last>,
    limit: i64,
) {
    let (beyond, order) = match order {
        Order::Newest => ("<", "DESC"),
        Order::Oldest => (">", "ASC"),
    };
    if let Some(Last(before, before_id)) = last {
        query
            .push(format!(" AND ({time}, {id}) {beyond} ("))
            .push_bind(before);
        query.push(", ").push_bind(before_id).push(")");
    }
    query
        .push(format!(" ORDER BY {time} {order}, {id} {order} LIMIT "))
        .push_bind(limit);
}

async fn records<T: DeserializeOwned + Send + Unpin + 'static>(
    tx: &mut Tx,
    mut query: QueryBuilder<Postgres>,
) -> Result<Vec<T>, Error> {
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.into_iter()
        .map(|row| Ok(row.try_get::<Json<T>, _>(0)?.0))
        .collect()
}
