use cosell_events::{Cause, append};
use cosell_store::{Error, Tx, require_written};
use cosell_types::ClosedList as _;
use sqlx::types::Json;

use crate::domain::{AwsField, AwsSummary, Opportunity};
use crate::events;

/// Loads the AWS summary of an opportunity. It is empty until AWS first updates it, and where row-level security hides
/// it.
pub async fn load_aws_summary(tx: &mut Tx, opportunity: &Opportunity) -> Result<AwsSummary, Error> {
    let row = sqlx::query!(
        r#"SELECT summary AS "summary: Json<AwsSummary>" FROM aws_summary WHERE account_id = $1 AND opportunity_id = $2"#,
        opportunity.account().as_str(),
        opportunity.id().number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map_or_else(|| AwsSummary::empty(opportunity), |row| row.summary.0))
}

/// Saves the AWS summary, its history and its event. The only way to write a summary.
pub async fn save_aws_summary(
    tx: &mut Tx,
    summary: &AwsSummary,
    changed: &[AwsField],
    cause: Cause<'_>,
) -> Result<(), Error> {
    let (account, opportunity) = (summary.account().as_str(), summary.opportunity().number());
    // The first update inserts the row. After a concurrent update neither branch writes a row.
    let result = sqlx::query!(
        "INSERT INTO aws_summary AS stored (account_id, opportunity_id, revision, stage, update_time, summary)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (account_id, opportunity_id) DO UPDATE SET revision = $3, stage = $4, update_time = $5, summary = $6
           WHERE stored.revision = $3::bigint - 1",
        account,
        opportunity,
        summary.revision(),
        summary.details().life_cycle.stage.map(|stage| stage.name()),
        cause.time,
        Json(summary) as _,
    )
    .execute(tx.conn())
    .await?;
    require_written(result.rows_affected())?;
    let paths: Vec<_> = changed.iter().map(|field| field.path().to_owned()).collect();
    sqlx::query!(
        "INSERT INTO aws_summary_revision
           (account_id, opportunity_id, revision, time, actor, changed_fields, summary)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        account,
        opportunity,
        summary.revision(),
        cause.time,
        cause.actor,
        &paths,
        Json(summary) as _,
    )
    .execute(tx.conn())
    .await?;
    append(tx, &events::aws_summary_event(summary, changed, cause)).await
}
