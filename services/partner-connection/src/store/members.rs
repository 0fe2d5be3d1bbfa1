use chrono::{DateTime, Utc};
use cosell_events::{Cause, append_all};
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _, MemberId, Pii, Role};
use sqlx::types::Json;

use crate::domain::{Member, MemberEvent, Roster};
use crate::events;

/// A member of an account.
pub async fn load(tx: &mut Tx, account: &AccountId, id: &MemberId) -> Result<Option<Member>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Member>" FROM member WHERE account_id = $1 AND member_id = $2"#,
        account.as_str(),
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// Those of these members of an account that exist.
pub async fn load_members(tx: &mut Tx, account: &AccountId, ids: &[String]) -> Result<Vec<Member>, Error> {
    let rows = sqlx::query!(
        r#"SELECT record AS "record: Json<Member>" FROM member WHERE account_id = $1 AND member_id = ANY ($2)"#,
        account.as_str(),
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| row.record.0).collect())
}

/// All members of an account who have not left, but for these; to be read under the account's lock.
pub async fn roster(tx: &mut Tx, account: &AccountId, but: &[&MemberId]) -> Result<Roster, Error> {
    let but: Vec<_> = but.iter().map(|id| id.to_string()).collect();
    let rows = sqlx::query_as!(
        Place,
        "SELECT member_id, roles, email FROM member
         WHERE account_id = $1 AND status <> 'DEACTIVATED' AND member_id <> ALL ($2)",
        account.as_str(),
        &but,
    )
    .fetch_all(tx.conn())
    .await?;
    count(rows)
}

/// Of the members of an account who have not left, those who have one of these addresses, or a role of which there is
/// not more than so many; to be read under the account's lock.
pub async fn roster_around(tx: &mut Tx, account: &AccountId, emails: &[String]) -> Result<Roster, Error> {
    // Each half has an index of its own; one condition with OR would read the whole account.
    let rows = sqlx::query_as!(
        Place,
        r#"SELECT member_id AS "member_id!", roles AS "roles!", email AS "email!" FROM member
         WHERE account_id = $1 AND status <> 'DEACTIVATED' AND email = ANY ($2)
         UNION
         SELECT member_id, roles, email FROM member
         WHERE account_id = $1 AND status <> 'DEACTIVATED'
           AND roles && ARRAY['ALLIANCE_LEAD', 'ALLIANCE_TEAM', 'ACE_MANAGER']"#,
        account.as_str(),
        emails,
    )
    .fetch_all(tx.conn())
    .await?;
    count(rows)
}

/// How often an account has asked an address to join since a time.
pub async fn asked(
    tx: &mut Tx,
    account: &AccountId,
    email: &Pii<String>,
    since: DateTime<Utc>,
) -> Result<i64, Error> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "count!" FROM member
           WHERE account_id = $1 AND email = $2 AND (record ->> 'create_time')::timestamptz >= $3"#,
        account.as_str(),
        email.reveal(),
        since,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.count)
}

struct Place {
    member_id: String,
    roles: Vec<String>,
    email: String,
}

fn count(places: Vec<Place>) -> Result<Roster, Error> {
    let mut roster = Roster::default();
    for place in places {
        let id = place
            .member_id
            .parse()
            .map_err(|error| Error::corrupt("member_id", error))?;
        let roles = place.roles.iter().filter_map(|name| Role::from_name(name));
        roster.add(id, roles, place.email.into());
    }
    Ok(roster)
}

/// The only way to write members: the rows and their events, or none of them. No member may be there twice.
pub async fn save(tx: &mut Tx, changed: &[(Member, MemberEvent)], cause: Cause<'_>) -> Result<(), Error> {
    let texts = |text: fn(&Member) -> &str| {
        let texts = changed.iter().map(|(member, _)| text(member).to_owned());
        texts.collect::<Vec<_>>()
    };
    let revisions: Vec<_> = changed.iter().map(|(member, _)| member.revision()).collect();
    // Lists of lists are not for Postgres; these come apart again there.
    let roles: Vec<_> = changed
        .iter()
        .map(|(member, _)| {
            let names: Vec<_> = member.facts().roles.iter().map(|role| role.name()).collect();
            names.join(" ")
        })
        .collect();
    let records: Vec<_> = changed.iter().map(|(member, _)| Json(member)).collect();
    let rows = sqlx::query!(
        "INSERT INTO member (account_id, member_id, revision, status, roles, email, record)
         SELECT account_id, member_id, revision, status, string_to_array(roles, ' '), email, record
         FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::jsonb[])
           AS given (account_id, member_id, revision, status, roles, email, record)
         ON CONFLICT (account_id, member_id) DO UPDATE SET revision = excluded.revision, status = excluded.status,
           roles = excluded.roles, email = excluded.email, record = excluded.record
         WHERE member.revision = excluded.revision - 1",
        &texts(|member| member.account().as_str()),
        &texts(|member| member.id().as_str()),
        &revisions,
        &texts(|member| member.facts().status.name()),
        &roles,
        &texts(|member| member.facts().person.email.reveal()),
        &records as _,
    )
    .execute(tx.conn())
    .await?;
    if rows.rows_affected() != changed.len() as u64 {
        return Err(Error::Overtaken);
    }
    let events: Vec<_> = changed
        .iter()
        .map(|(member, event)| events::member(member, *event, cause))
        .collect();
    append_all(tx, &events).await
}
