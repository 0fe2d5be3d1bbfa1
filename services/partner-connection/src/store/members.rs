use std::collections::BTreeSet;

use chrono::NaiveDate;
use cosell_events::{Cause, Lane, append_all};
use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _, MemberId, Pii, Role};
use sqlx::types::Json;

use crate::domain::{Member, MemberEvent, Roster};
use crate::events;

/// The member of the account with this id.
pub async fn load(tx: &mut Tx, account: &AccountId, id: &MemberId) -> Result<Option<Member>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Member>", marketing_sees_all FROM member
           WHERE account_id = $1 AND member_id = $2"#,
        account.as_str(),
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0.with_marketing_option(row.marketing_sees_all)))
}

/// The members of the account with these ids. Ids without a member are omitted.
pub async fn load_members(tx: &mut Tx, account: &AccountId, ids: &[String]) -> Result<Vec<Member>, Error> {
    let rows = sqlx::query!(
        r#"SELECT record AS "record: Json<Member>", marketing_sees_all FROM member
           WHERE account_id = $1 AND member_id = ANY ($2)"#,
        account.as_str(),
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    let members = rows
        .into_iter()
        .map(|row| row.record.0.with_marketing_option(row.marketing_sees_all));
    Ok(members.collect())
}

/// A member of the marketing staff of an account.
#[derive(Clone, Debug)]
pub struct MarketingMember {
    pub account: AccountId,
    pub id: MemberId,
}

/// At most `limit` members of the marketing staff of all accounts to which the option was applied with this value, after
/// `last`. Requires the scope of the worker.
pub async fn list_marketing_members(
    tx: &mut Tx,
    marketing_sees_all: bool,
    last: Option<&MarketingMember>,
    limit: i64,
) -> Result<Vec<MarketingMember>, Error> {
    let rows = sqlx::query!(
        "SELECT account_id, member_id FROM member
         WHERE roles @> ARRAY['MARKETING_STAFF'] AND marketing_sees_all = $1 AND (account_id, member_id) > ($2, $3)
         ORDER BY account_id, member_id LIMIT $4",
        marketing_sees_all,
        last.map_or("", |member| member.account.as_str()),
        last.map_or("", |member| member.id.as_str()),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let corrupt = |error| Error::corrupt("id", error);
    rows.into_iter()
        .map(|row| {
            Ok(MarketingMember {
                account: row.account_id.parse().map_err(corrupt)?,
                id: row.member_id.parse().map_err(corrupt)?,
            })
        })
        .collect()
}

/// The INVITED and ACTIVE members of the account that have one of these addresses or a role with a limit. Requires the
/// account's lock.
pub async fn load_roster(tx: &mut Tx, account: &AccountId, emails: &[String]) -> Result<Roster, Error> {
    // Each half of the UNION uses an index; one condition with OR would read all members of the account.
    let rows = sqlx::query_as!(
        RosterRow,
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
    build_roster(rows)
}

/// The e-mail domains of all INVITED and ACTIVE members of the account, without the member `except`. Requires the
/// account's lock.
pub async fn load_email_domains(
    tx: &mut Tx,
    account: &AccountId,
    except: Option<&MemberId>,
) -> Result<BTreeSet<String>, Error> {
    // Skips from one domain to the next in the index, because an account has many members and few domains.
    let rows = sqlx::query!(
        r#"WITH RECURSIVE found (domain) AS (
             (SELECT split_part(email, '@', 2) FROM member
              WHERE account_id = $1 AND status <> 'DEACTIVATED' AND member_id <> $2
              ORDER BY split_part(email, '@', 2) LIMIT 1)
             UNION ALL
             SELECT (SELECT split_part(email, '@', 2) FROM member
                     WHERE account_id = $1 AND status <> 'DEACTIVATED' AND member_id <> $2
                       AND split_part(email, '@', 2) > found.domain
                     ORDER BY split_part(email, '@', 2) LIMIT 1)
             FROM found WHERE found.domain IS NOT NULL)
           SELECT domain AS "domain!" FROM found WHERE domain IS NOT NULL"#,
        account.as_str(),
        except.map_or("", |id| id.as_str()),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| row.domain).collect())
}

/// Counts one more invitation to join that the account sends to this address on `day`. Returns the number of that day,
/// including this one. Deletes the counts of earlier days.
pub async fn increment_email_count(
    tx: &mut Tx,
    account: &AccountId,
    email: &Pii<String>,
    day: NaiveDate,
) -> Result<i64, Error> {
    sqlx::query!(
        "DELETE FROM asked WHERE account_id = $1 AND day < $2",
        account.as_str(),
        day
    )
    .execute(tx.conn())
    .await?;
    let row = sqlx::query!(
        "INSERT INTO asked (account_id, day, email, times) VALUES ($1, $2, $3, 1)
         ON CONFLICT (account_id, day, email) DO UPDATE SET times = asked.times + 1 RETURNING times",
        account.as_str(),
        day,
        email.reveal(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.times)
}

struct RosterRow {
    member_id: String,
    roles: Vec<String>,
    email: String,
}

fn build_roster(rows: Vec<RosterRow>) -> Result<Roster, Error> {
    let mut roster = Roster::default();
    for row in rows {
        let id = row
            .member_id
            .parse()
            .map_err(|error| Error::corrupt("member_id", error))?;
        let roles = row.roles.iter().filter_map(|name| Role::from_name(name));
        roster.add(id, roles, row.email.into());
    }
    Ok(roster)
}

/// The only function that writes members: stores the members and appends their events to the outbox. `changed` contains
/// each member at most once.
pub async fn save(tx: &mut Tx, changed: &[(Member, MemberEvent)], cause: Cause<'_>) -> Result<(), Error> {
    let column = |value: fn(&Member) -> &str| {
        let values = changed.iter().map(|(member, _)| value(member).to_owned());
        values.collect::<Vec<_>>()
    };
    let revisions: Vec<_> = changed.iter().map(|(member, _)| member.revision()).collect();
    // unnest flattens nested arrays, so the roles of a member are one string, which the statement splits.
    let roles: Vec<_> = changed
        .iter()
        .map(|(member, _)| {
            let names: Vec<_> = member.facts().roles.iter().map(|role| role.name()).collect();
            names.join(" ")
        })
        .collect();
    let marketing_sees_all: Vec<_> = changed
        .iter()
        .map(|(member, _)| member.marketing_sees_all())
        .collect();
    let records: Vec<_> = changed.iter().map(|(member, _)| Json(member)).collect();
    let rows = sqlx::query!(
        "INSERT INTO member (account_id, member_id, revision, status, roles, email, record, marketing_sees_all)
         SELECT account_id, member_id, revision, status, string_to_array(roles, ' '), email, record,
           marketing_sees_all
         FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::jsonb[],
           $8::boolean[])
           AS given (account_id, member_id, revision, status, roles, email, record, marketing_sees_all)
         ON CONFLICT (account_id, member_id) DO UPDATE SET revision = excluded.revision, status = excluded.status,
           roles = excluded.roles, email = excluded.email, record = excluded.record,
           marketing_sees_all = excluded.marketing_sees_all
         WHERE member.revision = excluded.revision - 1",
        &column(|member| member.account().as_str()),
        &column(|member| member.id().as_str()),
        &revisions,
        &column(|member| member.facts().status.name()),
        &roles,
        &column(|member| member.facts().person.email.reveal()),
        &records as _,
        &marketing_sees_all,
    )
    .execute(tx.conn())
    .await?;
    if rows.rows_affected() != changed.len() as u64 {
        return Err(Error::VersionConflict);
    }
    // Events that can revoke access take the live lane even in a batch, so that a long list does not delay them.
    let (bulk, live): (Vec<_>, Vec<_>) = changed.iter().partition(|(_, event)| {
        matches!(
            event,
            MemberEvent::Registered | MemberEvent::Reinstated | MemberEvent::DetailsChanged
        ) && changed.len() > 1
    });
    for (lane, changed) in [(Lane::Live, live), (Lane::Bulk, bulk)] {
        let events = changed
            .iter()
            .map(|(member, event)| events::member(member, *event, cause));
        append_all(tx, &events.collect::<Vec<_>>(), lane).await?;
    }
    Ok(())
}
