//! The append-only history of records. Row-level security limits the revisions that a query returns.

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_store::{Error, Tx};
use cosell_types::{ClosedList as _, Member, OpportunityId};
use serde_json::json;
use sqlx::types::Json;

use crate::domain::access::{VisibilityScope, visibility_scope};
use crate::domain::{Event, Opportunity};

/// A change to append to the history: the record after it, its event, and its cause.
pub type OpportunityChange<'a> = (&'a Opportunity, &'a Event, Cause<'a>);

/// A revision of a record.
#[derive(Clone, Debug)]
pub struct Revision {
    /// The name of the event that created the revision.
    pub action: String,
    /// Paths of the fields that a partner changed.
    pub changed_fields: Vec<String>,
    /// The record at this revision.
    pub record: Opportunity,
}

pub async fn append_revisions(tx: &mut Tx, changes: &[OpportunityChange<'_>]) -> Result<(), Error> {
    let (mut actors, mut changed_fields) = (vec![], vec![]);
    let (mut accounts, mut ids, mut numbers, mut times) = (vec![], vec![], vec![], vec![]);
    let (mut actions, mut statuses, mut records) = (vec![], vec![], vec![]);
    for (record, event, cause) in changes {
        accounts.push(record.account().as_str().to_owned());
        ids.push(record.id().number());
        numbers.push(record.revision());
        times.push(record.update_time());
        actors.push(cause.actor.to_owned());
        actions.push(event.name().to_owned());
        // As JSON, because `unnest` flattens an array of arrays.
        changed_fields.push(json!(event.changed_fields()));
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
        &changed_fields,
        &statuses,
        &records as &[Json<&Opportunity>],
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

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

/// Loads the last revision at or before `time` that is visible to the member (OPP-068).
pub async fn load_revision_as_of(
    tx: &mut Tx,
    member: &Member,
    current: &Opportunity,
    time: DateTime<Utc>,
) -> Result<Option<Opportunity>, Error> {
    let (sees_drafts, sees_limited) = revision_visibility(member);
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

/// Lists the revisions before `before` that are visible to the member, newest first (OPP-067).
pub async fn list_revisions(
    tx: &mut Tx,
    member: &Member,
    current: &Opportunity,
    before: i64,
    limit: i64,
) -> Result<Vec<Revision>, Error> {
    let (sees_drafts, sees_limited) = revision_visibility(member);
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

/// Whether past drafts, and past revisions with limited visibility, of a record are visible to a member who has access
/// to the record.
pub(super) fn revision_visibility(member: &Member) -> (bool, bool) {
    let visibility_scope = visibility_scope(member);
    let is_partner = matches!(visibility_scope, VisibilityScope::Account | VisibilityScope::Own);
    (is_partner, visibility_scope != VisibilityScope::FullVisibility)
}
