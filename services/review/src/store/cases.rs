use cosell_events::{Cause, append};
use cosell_store::{Error, Tx, require_written};
use cosell_types::{AccountId, ClosedList as _, OpportunityId};
use sqlx::types::Json;

use crate::domain::{CaseEvent, CaseId, ReviewCase};
use crate::events;

/// Loads a case of any account that row-level security allows.
pub async fn load_case(tx: &mut Tx, id: &CaseId) -> Result<Option<ReviewCase>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<ReviewCase>" FROM review_case WHERE review_case_id = $1"#,
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

pub async fn load_case_of_opportunity(
    tx: &mut Tx,
    account: &AccountId,
    opportunity: OpportunityId,
) -> Result<Option<ReviewCase>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<ReviewCase>" FROM review_case
           WHERE account_id = $1 AND opportunity_id = $2"#,
        account.as_str(),
        opportunity.number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The encoded opportunities that were submitted in the rounds of a case, each with the number of its round.
pub async fn load_snapshots(tx: &mut Tx, case: &ReviewCase) -> Result<Vec<(i32, Vec<u8>)>, Error> {
    let rows = sqlx::query!(
        "SELECT round, snapshot FROM submission WHERE account_id = $1 AND review_case_id = $2 ORDER BY round",
        case.account().as_str(),
        case.id().as_str(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.round, row.snapshot)).collect())
}

/// Saves a case with a new round: the row, the submitted opportunity and the event, all or none of them.
pub async fn save_round(
    tx: &mut Tx,
    case: &ReviewCase,
    snapshot: &[u8],
    event: &CaseEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    save_case(tx, case, event, cause).await?;
    sqlx::query!(
        "INSERT INTO submission (account_id, review_case_id, round, snapshot) VALUES ($1, $2, $3, $4)",
        case.account().as_str(),
        case.id().as_str(),
        case.round(),
        snapshot,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Saves a case with its event, both or neither. All changes of cases are saved here.
pub async fn save_case(
    tx: &mut Tx,
    case: &ReviewCase,
    event: &CaseEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    let rows = if case.revision() == 1 {
        insert(tx, case).await?
    } else {
        update(tx, case).await?
    };
    require_written(rows)?;
    append(tx, &events::case_event(case, event, cause)).await
}

async fn insert(tx: &mut Tx, case: &ReviewCase) -> Result<u64, Error> {
    let inserted = sqlx::query!(
        "INSERT INTO review_case (account_id, review_case_id, opportunity_id, revision, state, assignee_member_id,
           submit_time, record)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account_id, opportunity_id) DO NOTHING",
        case.account().as_str(),
        case.id().as_str(),
        case.opportunity().number(),
        case.revision(),
        case.state().name(),
        case.assignee().map(|member| member.as_str()),
        case.submit_time(),
        Json(case) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(inserted.rows_affected())
}

async fn update(tx: &mut Tx, case: &ReviewCase) -> Result<u64, Error> {
    let updated = sqlx::query!(
        "UPDATE review_case SET revision = $3, state = $4, assignee_member_id = $5, submit_time = $6, record = $7
         WHERE account_id = $1 AND review_case_id = $2 AND revision = $3::bigint - 1",
        case.account().as_str(),
        case.id().as_str(),
        case.revision(),
        case.state().name(),
        case.assignee().map(|member| member.as_str()),
        case.submit_time(),
        Json(case) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected())
}
