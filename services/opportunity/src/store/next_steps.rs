use cosell_store::{Error, Tx};
use cosell_types::{AccountId, OpportunityId};

use crate::domain::NextStep;

/// What the next steps of a record were, each with the revision that brought it: the newest before a revision. The
/// record itself keeps the last ones only (OPP-041).
pub async fn next_steps(
    tx: &mut Tx,
    account: &AccountId,
    id: OpportunityId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<(i64, NextStep)>, Error> {
    let rows = sqlx::query!(
        r#"SELECT revision, time, record #>> '{details,life_cycle,next_steps}' AS "value!"
           FROM opportunity_revision
           WHERE account_id = $1 AND opportunity_id = $2 AND revision < $3
             AND (revision = 1 OR changed_fields @> ARRAY['life_cycle.next_steps'])
             AND record #>> '{details,life_cycle,next_steps}' <> ''
           ORDER BY revision DESC LIMIT $4"#,
        account.as_str(),
        id.number(),
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
