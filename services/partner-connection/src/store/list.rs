//! Queries that are built at run time: lists of members, partners, invitations and connections.

use chrono::{DateTime, Utc};
use cosell_grpc::convert::is_valid_time;
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList, MemberId, ParticipantType, Role, comparison_key};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder, Row as _};

use crate::domain::values::{
    ConnectionInvitationStatus, ConnectionStatus, ConnectionType, MemberStatus, PartnerTier, PartnerType,
    SolutionType,
};
use crate::domain::{Connection, Invitation, Member, Profile};

/// The position after the last row of a page that is sorted by creation time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TimeCursor(DateTime<Utc>, String);

impl TimeCursor {
    /// The position after this invitation.
    pub fn after_invitation(last: &Invitation) -> Self {
        Self(last.create_time(), last.id().to_string())
    }

    /// The position after this connection.
    pub fn after_connection(last: &Connection) -> Self {
        Self(last.create_time(), last.id().to_string())
    }

    /// Whether the values can be query parameters; a cursor comes from an unsigned page token.
    pub fn is_valid(&self) -> bool {
        is_valid_time(&self.0) && !self.1.contains('\0')
    }
}

/// Conditions on members, combined with AND. An empty list is no condition.
#[derive(Clone, Debug, Default)]
pub struct MemberFilter {
    pub statuses: Vec<MemberStatus>,
    pub roles: Vec<Role>,
}

/// At most `limit` members of the account after `cursor`, by id.
pub async fn list_members(
    tx: &mut Tx,
    account: &AccountId,
    filter: &MemberFilter,
    cursor: Option<MemberId>,
    limit: i64,
) -> Result<Vec<Member>, Error> {
    let mut query = select_of_account("SELECT record, marketing_sees_all FROM member", account);
    push_any_of(&mut query, "status", &filter.statuses);
    push_overlap(&mut query, "roles", &filter.roles);
    if let Some(cursor) = cursor {
        query.push(" AND member_id > ").push_bind(cursor.to_string());
    }
    query.push(" ORDER BY member_id LIMIT ").push_bind(limit);
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.into_iter()
        .map(|row| {
            let member = row.try_get::<Json<Member>, _>(0)?.0;
            Ok(member.with_marketing_option(row.try_get(1)?))
        })
        .collect()
}

/// Conditions on invitations, combined with AND. An empty list is no condition.
#[derive(Clone, Debug, Default)]
pub struct InvitationFilter {
    pub types: Vec<ConnectionType>,
    pub statuses: Vec<ConnectionInvitationStatus>,
    pub participant_types: Vec<ParticipantType>,
    pub other_profiles: Vec<String>,
}

/// At most `limit` invitations of the account after `cursor`, the newest first. Filters by the effective status at
/// `now`.
pub async fn list_invitations(
    tx: &mut Tx,
    account: &AccountId,
    filter: &InvitationFilter,
    now: DateTime<Utc>,
    cursor: Option<TimeCursor>,
    limit: i64,
) -> Result<Vec<Invitation>, Error> {
    let mut query = select_of_account("SELECT record FROM connection_invitation", account);
    push_any_of(&mut query, "type", &filter.types);
    push_any_of(&mut query, "participant_type", &filter.participant_types);
    if !filter.statuses.is_empty() {
        // A pending invitation is expired from its deadline on, even before the expiry is stored.
        query
            .push(" AND CASE WHEN status = 'PENDING' AND expire_time <= ")
            .push_bind(now)
            .push(" THEN 'EXPIRED' ELSE status END = ANY (")
            .push_bind(names(&filter.statuses))
            .push(")");
    }
    if !filter.other_profiles.is_empty() {
        query
            .push(" AND other_profile_id = ANY (")
            .push_bind(filter.other_profiles.clone())
            .push(")");
    }
    push_newest_first(&mut query, "connection_invitation_id", cursor, limit);
    fetch_records(tx, query).await
}

/// Conditions on connections, combined with AND. An empty list is no condition.
#[derive(Clone, Debug, Default)]
pub struct ConnectionFilter {
    pub types: Vec<(ConnectionType, Option<ConnectionStatus>)>,
    pub other_accounts: Vec<String>,
}

/// At most `limit` connections of the account after `cursor`, the newest first.
pub async fn list_connections(
    tx: &mut Tx,
    account: &AccountId,
    filter: &ConnectionFilter,
    cursor: Option<TimeCursor>,
    limit: i64,
) -> Result<Vec<Connection>, Error> {
    let mut query = select_of_account("SELECT record FROM connection", account);
    if !filter.types.is_empty() {
        let types: Vec<_> = filter
            .types
            .iter()
            .flat_map(|(kind, status)| {
                let statuses = status.map_or(ConnectionStatus::ALL.to_vec(), |status| vec![status]);
                let pair = |status: ConnectionStatus| format!("{}:{}", kind.name(), status.name());
                statuses.into_iter().map(pair).collect::<Vec<_>>()
            })
            .collect();
        query.push(" AND types && ").push_bind(types);
    }
    if !filter.other_accounts.is_empty() {
        query
            .push(" AND other_account_id = ANY (")
            .push_bind(filter.other_accounts.clone())
            .push(")");
    }
    push_newest_first(&mut query, "connection_id", cursor, limit);
    fetch_records(tx, query).await
}

/// Conditions on public profiles, combined with AND (DIR-040). An empty field is no condition.
#[derive(Clone, Debug, Default)]
pub struct PartnerFilter {
    pub profile: Option<String>,
    pub name: String,
    pub keywords: Vec<String>,
    pub industries: Vec<String>,
    pub countries: Vec<String>,
    pub programs: Vec<String>,
    pub specializations: Vec<String>,
    pub partner_types: Vec<PartnerType>,
    pub solution_types: Vec<SolutionType>,
    pub connected: Option<bool>,
}

/// A public profile in the partner search, with the facts of its account.
pub struct PartnerEntry {
    pub profile: Profile,
    pub partner_types: Vec<PartnerType>,
    pub programs: Vec<String>,
    pub specializations: Vec<String>,
    pub is_connected: bool,
    pub tier: PartnerTier,
    name_key: String,
}

/// The position after the last profile of a page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartnerCursor(String, String);

impl PartnerCursor {
    /// The position after this profile.
    pub fn after(last: &PartnerEntry) -> Self {
        Self(last.name_key.clone(), last.profile.id.to_string())
    }

    /// Whether the values can be query parameters; a cursor comes from an unsigned page token.
    pub fn is_valid(&self) -> bool {
        !self.0.contains('\0') && !self.1.contains('\0')
    }
}

/// At most `limit` public profiles after `cursor`, by name.
pub async fn list_partners(
    tx: &mut Tx,
    account: &AccountId,
    filter: &PartnerFilter,
    cursor: Option<PartnerCursor>,
    limit: i64,
) -> Result<Vec<PartnerEntry>, Error> {
    let mut query = QueryBuilder::new(
        "SELECT * FROM (SELECT p.*, EXISTS (SELECT FROM connection c
           WHERE c.other_account_id = p.account_id AND c.status = 'ACTIVE' AND c.account_id = ",
    );
    query.push_bind(account.as_str().to_owned());
    query.push(") AS is_connected FROM profile p WHERE p.visibility = 'PUBLIC') found WHERE true");
    if let Some(profile) = &filter.profile {
        query.push(" AND profile_id = ").push_bind(profile.clone());
    }
    if !filter.name.is_empty() {
        // Unlike LIKE, strpos has no wildcards.
        query
            .push(" AND strpos(name_key, ")
            .push_bind(comparison_key(&filter.name))
            .push(") > 0");
    }
    for keyword in &filter.keywords {
        query
            .push(" AND strpos(description_key, ")
            .push_bind(comparison_key(keyword))
            .push(") > 0");
    }
    for (column, values) in [
        ("industries", &filter.industries),
        ("programs", &filter.programs),
        ("specializations", &filter.specializations),
    ] {
        if !values.is_empty() {
            query
                .push(format_args!(" AND {column} && "))
                .push_bind(values.clone());
        }
    }
    if !filter.countries.is_empty() {
        query
            .push(" AND country_code = ANY (")
            .push_bind(filter.countries.clone())
            .push(")");
    }
    push_overlap(&mut query, "partner_types", &filter.partner_types);
    push_any_of(&mut query, "solution_type", &filter.solution_types);
    if let Some(connected) = filter.connected {
        query.push(" AND is_connected = ").push_bind(connected);
    }
    if let Some(PartnerCursor(name, id)) = cursor {
        query.push(" AND (name_key, profile_id) > (").push_bind(name);
        query.push(", ").push_bind(id).push(")");
    }
    query
        .push(" ORDER BY name_key, profile_id LIMIT ")
        .push_bind(limit);
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.iter().map(partner_entry).collect()
}

fn partner_entry(row: &PgRow) -> Result<PartnerEntry, Error> {
    let partner_types: Vec<String> = row.try_get("partner_types")?;
    let tier: String = row.try_get("tier")?;
    Ok(PartnerEntry {
        profile: row.try_get::<Json<Profile>, _>("record")?.0,
        partner_types: partner_types
            .iter()
            .filter_map(|name| PartnerType::from_name(name))
            .collect(),
        programs: row.try_get("programs")?,
        specializations: row.try_get("specializations")?,
        is_connected: row.try_get("is_connected")?,
        tier: PartnerTier::from_name(&tier).ok_or_else(|| Error::corrupt("tier", &tier))?,
        name_key: row.try_get("name_key")?,
    })
}

type Query = QueryBuilder<Postgres>;

fn select_of_account(select: &str, account: &AccountId) -> Query {
    let mut query = QueryBuilder::new(select);
    query
        .push(" WHERE account_id = ")
        .push_bind(account.as_str().to_owned());
    query
}

fn names<T: ClosedList>(values: &[T]) -> Vec<&'static str> {
    values.iter().map(|value| value.name()).collect()
}

fn push_any_of<T: ClosedList>(query: &mut Query, column: &str, values: &[T]) {
    if !values.is_empty() {
        query
            .push(format_args!(" AND {column} = ANY ("))
            .push_bind(names(values))
            .push(")");
    }
}

fn push_overlap<T: ClosedList>(query: &mut Query, column: &str, values: &[T]) {
    if !values.is_empty() {
        query
            .push(format_args!(" AND {column} && "))
            .push_bind(names(values));
    }
}

fn push_newest_first(query: &mut Query, id: &str, cursor: Option<TimeCursor>, limit: i64) {
    if let Some(TimeCursor(time, last_id)) = cursor {
        query
            .push(format_args!(" AND (create_time, {id}) < ("))
            .push_bind(time);
        query.push(", ").push_bind(last_id).push(")");
    }
    query.push(format_args!(" ORDER BY create_time DESC, {id} DESC LIMIT "));
    query.push_bind(limit);
}

async fn fetch_records<T: DeserializeOwned + Send + Unpin + 'static>(
    tx: &mut Tx,
    mut query: Query,
) -> Result<Vec<T>, Error> {
    let rows = query.build().fetch_all(tx.conn()).await?;
    rows.into_iter()
        .map(|row| Ok(row.try_get::<Json<T>, _>(0)?.0))
        .collect()
}
