use cosell_events::{Cause, append};
use cosell_store::{Error, Tx, written};
use cosell_types::ClosedList as _;
use sqlx::types::Json;

use crate::domain::{AwsField, AwsSummary, Opportunity};
use crate::events;

/// The AWS summary of an opportunity, as far as row-level security shows it; empty as long as AWS has said nothing.
pub async fn aws_summary(tx: &mut Tx, about: &Opportunity) -> Result<AwsSummary, Error> {
    let row = sqlx::query!(
        r#"SELECT summary AS "summary: Json<AwsSummary>" FROM aws_summary WHERE account_id = $1 AND opportunity_id = $2"#,
        about.account().as_str(),
        about.id().number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map_or_else(|| AwsSummary::nothing(about), |row| row.summary.0))
}

/// The only way to write the AWS summary: the row, its history and its event, or none of them.
pub async fn save_aws_summary(
    tx: &mut Tx,
    summary: &AwsSummary,
    changed: &[AwsField],
    cause: Cause<'_>,
) -> Result<(), Error> {
    let (account, opportunity) = (summary.account().as_str(), summary.opportunity().number());
    // The first change inserts; where another one was faster, neither half finds its place.
    let rows = sqlx::query!(
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
    written(rows.rows_affected())?;
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
    append(tx, &events::aws_summary(summary, cause)).await
}
