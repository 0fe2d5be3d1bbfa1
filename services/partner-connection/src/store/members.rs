use cosell_events::{Cause, append};
use cosell_store::{Error, Tx, written};
use cosell_types::{AccountId, ClosedList as _, MemberId, Role};
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

/// All members of an account who have not left, but for these; to be read under the account's lock. With addresses, only
/// those members who have one of them or a role of which there is not more than so many.
pub async fn roster(
    tx: &mut Tx,
    account: &AccountId,
    but: &[&MemberId],
    emails: Option<&[String]>,
) -> Result<Roster, Error> {
    let but: Vec<_> = but.iter().map(|id| id.to_string()).collect();
    let rows = sqlx::query!(
        "SELECT member_id, roles, email FROM member
         WHERE account_id = $1 AND status <> 'DEACTIVATED' AND member_id <> ALL ($2)
           AND ($3::text[] IS NULL OR email = ANY ($3)
             OR roles && ARRAY['ALLIANCE_LEAD', 'ALLIANCE_TEAM', 'ACE_MANAGER'])",
        account.as_str(),
        &but,
        emails,
    )
    .fetch_all(tx.conn())
    .await?;
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

/// The only way to write a member: the row and its event, or none of them.
pub async fn save(tx: &mut Tx, member: &Member, event: MemberEvent, cause: Cause<'_>) -> Result<(), Error> {
    let facts = member.facts();
    let roles: Vec<_> = facts.roles.iter().map(|role| role.name().to_owned()).collect();
    let rows = sqlx::query!(
        "INSERT INTO member (account_id, member_id, revision, status, roles, email, record)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (account_id, member_id) DO UPDATE SET revision = $3, status = $4, roles = $5, email = $6,
           record = $7
         WHERE member.revision = $3::bigint - 1",
        member.account().as_str(),
        member.id().as_str(),
        member.revision(),
        facts.status.name(),
        &roles,
        facts.person.email.reveal(),
        Json(member) as _,
    )
    .execute(tx.conn())
    .await?;
    written(rows.rows_affected())?;
    append(tx, &events::member(member, event, cause)).await
}
