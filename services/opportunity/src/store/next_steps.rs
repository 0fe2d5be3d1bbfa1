use cosell_store::{Error, Tx};
use cosell_types::Member;

use super::revisions::sees;
use crate::domain::{NextStep, Opportunity};

/// What the next steps of a record were, each with the revision that brought it: the newest before a revision, of those
/// revisions that the member sees. The record itself keeps the last ones only (OPP-041).
pub async fn next_steps(
    tx: &mut Tx,
    member: &Member,
    current: &Opportunity,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<(i64, NextStep)>, Error> {
    let (sees_drafts, sees_limited) = sees(member);
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
