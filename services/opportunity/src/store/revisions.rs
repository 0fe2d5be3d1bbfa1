//! The history: every revision of a record, as far as row-level security shows it.

use chrono::{DateTime, Utc};
use cosell_store::{Error, Tx};
use cosell_types::{ClosedList as _, Member, OpportunityId};
use serde_json::json;
use sqlx::types::Json;

use super::opportunities::Change;
use crate::domain::Opportunity;
use crate::domain::access::{Reach, reach};

/// A change of a record, and the record as it was after it.
#[derive(Clone, Debug)]
pub struct Revision {
    /// What happened: the event's name.
    pub action: String,
    /// Paths of the fields that a partner changed.
    pub changed_fields: Vec<String>,
    /// The record.
    pub record: Opportunity,
}

/// Appends changes to the history.
pub async fn append(tx: &mut Tx, changes: &[Change<'_>]) -> Result<(), Error> {
    let (mut actors, mut fields) = (vec![], vec![]);
    let (mut accounts, mut ids, mut numbers, mut times) = (vec![], vec![], vec![], vec![]);
    let (mut actions, mut statuses, mut records) = (vec![], vec![], vec![]);
    for (record, event, cause) in changes {
        accounts.push(record.account().as_str().to_owned());
        ids.push(record.id().number());
        numbers.push(record.revision());
        times.push(record.update_time());
        actors.push(cause.actor.to_owned());
        actions.push(event.name().to_owned());
        // An array of arrays would come out of `unnest` flat.
        fields.push(json!(event.changed_fields()));
        statuses.push(record.review().status.name().to_owned());
        records.push(Json(*record));
    }
    sqlx::query!(
        "INSERT INTO opportunity_revision
           (account_id, opportunity_id, revision, time, actor, action, changed_fields, review_status, record)
         SELECT account_id, opportunity_id, revision, time, actor, action,
           ARRAY(SELECT jsonb_array_elements_text(changed_fields)), review_status, record
         FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::jsonb[],
           $8::text[], $9::jsonb[])
           AS given (account_id, opportunity_id, revision, time, actor, action, changed_fields, review_status, record)",
        &accounts,
        &ids,
        &numbers,
        &times,
        &actors,
        &actions,
        &fields,
        &statuses,
        &records as &[Json<&Opportunity>],
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A record as it was at a revision.
pub async fn load_revision(
    tx: &mut Tx,
    id: OpportunityId,
    revision: i64,
) -> Result<Option<Opportunity>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Opportunity>" FROM opportunity_revision
           WHERE opportunity_id = $1 AND revision = $2"#,
        id.number(),
        revision,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The last revision until a time that the member may see (OPP-068).
pub async fn load_as_of(
    tx: &mut Tx,
    member: &Member,
    current: &Opportunity,
    time: DateTime<Utc>,
) -> Result<Option<Opportunity>, Error> {
    let (sees_drafts, sees_limited) = sees(member);
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Opportunity>" FROM opportunity_revision
           WHERE account_id = $1 AND opportunity_id = $2 AND time <= $3
             AND ($4 OR review_status <> 'PENDING_SUBMISSION') AND ($5 OR record ->> 'visibility' = 'FULL')
           ORDER BY revision DESC LIMIT 1"#,
        current.account().as_str(),
        current.id().number(),
        time,
        sees_drafts,
        sees_limited,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// At most `limit` revisions before one, the newest first, of those that the member may see (OPP-067).
pub async fn list_revisions(
    tx: &mut Tx,
    member: &Member,
    current: &Opportunity,
    before: i64,
    limit: i64,
) -> Result<Vec<Revision>, Error> {
    let (sees_drafts, sees_limited) = sees(member);
    let rows = sqlx::query!(
        r#"SELECT action, changed_fields, record AS "record: Json<Opportunity>" FROM opportunity_revision
           WHERE account_id = $1 AND opportunity_id = $2 AND revision < $3
             AND ($4 OR review_status <> 'PENDING_SUBMISSION') AND ($5 OR record ->> 'visibility' = 'FULL')
           ORDER BY revision DESC LIMIT $6"#,
        current.account().as_str(),
        current.id().number(),
        before,
        sees_drafts,
        sees_limited,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let revisions = rows.into_iter().map(|row| Revision {
        action: row.action,
        changed_fields: row.changed_fields,
        record: row.record.0,
    });
    Ok(revisions.collect())
}

/// Whether of the past of a record that it sees a member sees drafts, and what had limited visibility.
pub(super) fn sees(member: &Member) -> (bool, bool) {
    let reach = reach(member);
    let is_partner = matches!(reach, Reach::Account | Reach::Own);
    (is_partner, reach != Reach::FullVisibility)
}
