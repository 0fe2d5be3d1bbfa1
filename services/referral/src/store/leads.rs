use cosell_events::{Cause, append};
use cosell_store::{Error, Tx, require_written};
use cosell_types::{AccountId, ClosedList as _};
use sqlx::types::Json;

use crate::domain::{Lead, LeadEvent, LeadId};
use crate::events;

/// A lead of an account, with its encoded details.
pub async fn load_lead(
    tx: &mut Tx,
    account: &AccountId,
    id: &LeadId,
) -> Result<Option<(Lead, Vec<u8>)>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Lead>", details FROM lead WHERE account_id = $1 AND lead_id = $2"#,
        account.as_str(),
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.record.0, row.details)))
}

/// The encoded details of a converted lead of any account that row-level security allows.
pub async fn load_converted_lead(tx: &mut Tx, id: &LeadId) -> Result<Option<Vec<u8>>, Error> {
    let details = sqlx::query_scalar!(
        "SELECT details FROM lead WHERE lead_id = $1 AND is_converted",
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(details)
}

/// Inserts a new lead with its event, both or neither.
pub async fn insert_lead(
    tx: &mut Tx,
    lead: &Lead,
    details: &[u8],
    event: &LeadEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO lead (account_id, lead_id, referral_offer_id, owner_member_id, revision, state, create_time, record, details)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        lead.account().as_str(),
        lead.id().as_str(),
        lead.offer().as_str(),
        lead.owner().as_str(),
        lead.revision(),
        lead.state().name(),
        lead.create_time(),
        Json(lead) as _,
        details,
    )
    .execute(tx.conn())
    .await?;
    append(tx, &events::lead_event(lead, event, cause)).await
}

/// Saves a changed lead with its event, both or neither. All changes of leads are saved here.
pub async fn save_lead(
    tx: &mut Tx,
    lead: &Lead,
    details: &[u8],
    event: &LeadEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    let updated = sqlx::query!(
        "UPDATE lead SET revision = $3, state = $4, owner_member_id = $5, is_converted = $6, record = $7, details = $8
         WHERE account_id = $1 AND lead_id = $2 AND revision = $3::bigint - 1",
        lead.account().as_str(),
        lead.id().as_str(),
        lead.revision(),
        lead.state().name(),
        lead.owner().as_str(),
        lead.opportunity().is_some(),
        Json(lead) as _,
        details,
    )
    .execute(tx.conn())
    .await?;
    require_written(updated.rows_affected())?;
    append(tx, &events::lead_event(lead, event, cause)).await
}
