use cosell_store::{Error, Tx};
use cosell_types::Member;

use super::opportunity_revisions::revision_visibility;
use crate::domain::{NextStep, Opportunity};

/// Lists the next steps in the history of a record, newest first, each with the revision that set it. Only revisions
/// before `before` that are visible to the member count. The record itself retains only the latest next steps
/// (OPP-041).
pub async fn list_next_steps(
    tx: &mut Tx,
    member: &Member,
    current: &Opportunity,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<(i64, NextStep)>, Error> {
    let (sees_drafts, sees_limited) = revision_visibility(member);
    let rows = sqlx::query!(
        r#"SELECT revision, time, value AS "value!" FROM (
             SELECT revision, time, action, changed_fields, record #>> '{details,life_cycle,next_steps}' AS value,
               lag(record #>> '{details,life_cycle,next_steps}') OVER (ORDER BY revision) AS before
             FROM opportunity_revision
             WHERE account_id = $1 AND opportunity_id = $2
               AND ($3 OR review_status <> 'PENDING_SUBMISSION') AND ($4 OR record ->> 'visibility' = 'FULL')) AS seen
           WHERE revision < $5 AND value <> ''
             AND (value IS DISTINCT FROM before OR changed_fields @> ARRAY['life_cycle.next_steps'])
           ORDER BY revision DESC LIMIT $6"#,
        current.account().as_str(),
        current.id().number(),
        sees_drafts,
        sees_limited,
        before.unwrap_or(i64::MAX),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let steps = rows.into_iter().map(|row| {
        let step = NextStep {
            value: row.value.into(),
            time: row.time,
        };
        (row.revision, step)
    });
    Ok(steps.collect())
}
