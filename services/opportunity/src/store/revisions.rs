//! The history: every revision of a record, as far as row-level security shows it.

use chrono::{DateTime, Utc};
use cosell_store::{Error, Tx};
use cosell_types::{Member, OpportunityId};
use sqlx::types::Json;

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
fn sees(member: &Member) -> (bool, bool) {
    let reach = reach(member);
    let is_partner = matches!(reach, Reach::Account | Reach::Own);
    (is_partner, reach != Reach::FullVisibility)
}
