use cosell_events::{Cause, Lane, append_all};
use cosell_store::{Error, Tx, written};
use cosell_types::{AccountId, ClosedList as _, OpportunityId};
use sqlx::types::Json;

use super::words;
use crate::domain::{Event, Opportunity};
use crate::events;

/// The index that keeps the partner's own keys apart.
pub const PARTNER_IDENTIFIER: &str = "opportunity_partner_identifier";
/// The index that keeps offers apart.
pub const MARKETPLACE_OFFER: &str = "opportunity_marketplace_offer";

/// A record of an account.
pub async fn load(tx: &mut Tx, account: &AccountId, id: OpportunityId) -> Result<Option<Opportunity>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Opportunity>" FROM opportunity WHERE account_id = $1 AND opportunity_id = $2"#,
        account.as_str(),
        id.number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// A record, whoever's it is, as far as row-level security shows it.
pub async fn load_of_any_account(tx: &mut Tx, id: OpportunityId) -> Result<Option<Opportunity>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Opportunity>" FROM opportunity WHERE opportunity_id = $1"#,
        id.number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// A record as it was at the last revision that row-level security shows. Services see no drafts, so for them it may
/// be older than the record (ACC-012).
pub async fn load_last_shown(tx: &mut Tx, id: OpportunityId) -> Result<Option<Opportunity>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Opportunity>" FROM opportunity_revision
           WHERE opportunity_id = $1 ORDER BY revision DESC LIMIT 1"#,
        id.number(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The only way to write a record: the row, its history and its event, or none of them.
pub async fn save(tx: &mut Tx, record: &Opportunity, event: &Event, cause: Cause<'_>) -> Result<(), Error> {
    save_in(tx, Lane::Live, record, event, cause).await
}

/// The same, with the event in a lane: what comes by the thousand lets others pass.
pub async fn save_in(
    tx: &mut Tx,
    lane: Lane,
    record: &Opportunity,
    event: &Event,
    cause: Cause<'_>,
) -> Result<(), Error> {
    let rows = match event {
        Event::Created => insert(tx, record).await?,
        Event::Discarded => delete(tx, record).await?,
        _ => update(tx, record).await?,
    };
    written(rows)?;
    if *event != Event::Discarded {
        words::keep(tx, record).await?;
    }
    sqlx::query!(
        "INSERT INTO opportunity_revision
           (account_id, opportunity_id, revision, time, actor, action, changed_fields, review_status, record)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        record.account().as_str(),
        record.id().number(),
        record.revision(),
        record.update_time(),
        cause.actor,
        event.name(),
        &event.changed_fields(),
        record.review().status.name(),
        Json(record) as _,
    )
    .execute(tx.conn())
    .await?;
    append_all(tx, &[events::public(record, event, cause)], lane).await
}

async fn insert(tx: &mut Tx, record: &Opportunity) -> Result<u64, Error> {
    let details = record.details();
    let inserted = sqlx::query!(
        "INSERT INTO opportunity (account_id, opportunity_id, revision, owner_member_id, created_by, submitted_by,
           review_status, stage, visibility, company_name, partner_opportunity_identifier, target_close_date,
           create_time, update_time, record, marketplace_offer, submit_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        record.account().as_str(),
        record.id().number(),
        record.revision(),
        record.owner().as_str(),
        record.created_by().as_str(),
        record.submitted_by().map(|member| member.as_str()),
        record.review().status.name(),
        details.life_cycle.stage.name(),
        record.visibility().map(|visibility| visibility.name()),
        details.customer.account.company_name.reveal(),
        details.partner_opportunity_identifier,
        details.life_cycle.target_close_date,
        record.create_time(),
        record.update_time(),
        Json(record) as _,
        details.related_entity_identifiers.offer(),
        record.review().submit_time,
    )
    .execute(tx.conn())
    .await?;
    Ok(inserted.rows_affected())
}

async fn update(tx: &mut Tx, record: &Opportunity) -> Result<u64, Error> {
    let details = record.details();
    let updated = sqlx::query!(
        "UPDATE opportunity SET revision = $3, owner_member_id = $4, submitted_by = $5, review_status = $6, stage = $7,
           visibility = $8, company_name = $9, partner_opportunity_identifier = $10, target_close_date = $11,
           update_time = $12, record = $13, marketplace_offer = $14, submit_time = $15
         WHERE account_id = $1 AND opportunity_id = $2 AND revision = $3::bigint - 1",
        record.account().as_str(),
        record.id().number(),
        record.revision(),
        record.owner().as_str(),
        record.submitted_by().map(|member| member.as_str()),
        record.review().status.name(),
        details.life_cycle.stage.name(),
        record.visibility().map(|visibility| visibility.name()),
        details.customer.account.company_name.reveal(),
        details.partner_opportunity_identifier,
        details.life_cycle.target_close_date,
        record.update_time(),
        Json(record) as _,
        details.related_entity_identifiers.offer(),
        record.review().submit_time,
    )
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected())
}

/// A discarded draft is gone for every reader, with its words and flags; its history stays.
async fn delete(tx: &mut Tx, record: &Opportunity) -> Result<u64, Error> {
    let deleted = sqlx::query!(
        "DELETE FROM opportunity WHERE account_id = $1 AND opportunity_id = $2 AND revision = $3::bigint - 1",
        record.account().as_str(),
        record.id().number(),
        record.revision(),
    )
    .execute(tx.conn())
    .await?;
    Ok(deleted.rows_affected())
}
