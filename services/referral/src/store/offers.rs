use chrono::{DateTime, Utc};
use cosell_events::{Cause, append};
use cosell_store::{Error, Tx, require_written};
use cosell_types::{AccountId, ClosedList as _};
use sqlx::types::Json;

use crate::domain::{Offer, OfferEvent, OfferId, Referral};
use crate::events;

/// An offer to an account, with its encoded excerpt; `None` once the content is no longer visible to the account.
pub async fn load_offer(
    tx: &mut Tx,
    account: &AccountId,
    id: &OfferId,
) -> Result<Option<(Offer, Option<Vec<u8>>)>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Offer>", shown FROM offer WHERE account_id = $1 AND referral_offer_id = $2"#,
        account.as_str(),
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.record.0, row.shown)))
}

/// An offer to any account that row-level security allows.
pub async fn load_any_offer(tx: &mut Tx, id: &OfferId) -> Result<Option<Offer>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Offer>" FROM offer WHERE referral_offer_id = $1"#,
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The complete content of an offer, encoded: a `LeadDetails` or a `GetAcceptedOpportunityResponse`.
pub async fn load_content(tx: &mut Tx, offer: &Offer) -> Result<Option<Vec<u8>>, Error> {
    let content = sqlx::query_scalar!(
        "SELECT deal FROM offer_deal WHERE account_id = $1 AND referral_offer_id = $2",
        offer.account().as_str(),
        offer.id().as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(content)
}

/// All offers of these referrals of an AWS account.
pub async fn load_offers_of(
    tx: &mut Tx,
    sender: &AccountId,
    referrals: &[Referral],
) -> Result<Vec<Offer>, Error> {
    let ids: Vec<_> = referrals
        .iter()
        .map(|referral| referral.id().to_string())
        .collect();
    let rows = sqlx::query!(
        r#"SELECT record AS "record: Json<Offer>" FROM offer
           WHERE sender_account_id = $1 AND referral_id = ANY($2)"#,
        sender.as_str(),
        &ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| row.record.0).collect())
}

/// Inserts a new offer: the row with the excerpt, the complete content and the event, all or none of them.
pub async fn insert_offer(
    tx: &mut Tx,
    offer: &Offer,
    (excerpt, content): (&[u8], &[u8]),
    event: OfferEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO offer (account_id, referral_offer_id, sender_account_id, referral_id, revision, state, offer_time,
           expire_time, due_time, record, shown)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        offer.account().as_str(),
        offer.id().as_str(),
        offer.sender().as_str(),
        offer.referral().as_str(),
        offer.revision(),
        offer.state().name(),
        offer.offer_time(),
        offer.expire_time(),
        offer.due_time(),
        Json(offer) as _,
        excerpt,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "INSERT INTO offer_deal (account_id, referral_offer_id, deal) VALUES ($1, $2, $3)",
        offer.account().as_str(),
        offer.id().as_str(),
        content,
    )
    .execute(tx.conn())
    .await?;
    append(tx, &events::offer_event(offer, event, cause)).await
}

/// Saves a changed offer with its event, both or neither. Deletes the excerpt of an offer whose content is no longer
/// visible. All changes of offers are saved here.
pub async fn save_offer(
    tx: &mut Tx,
    offer: &Offer,
    event: OfferEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    let updated = sqlx::query!(
        "UPDATE offer SET revision = $3, state = $4, due_time = $5, record = $6,
           shown = CASE WHEN $7 THEN shown END
         WHERE account_id = $1 AND referral_offer_id = $2 AND revision = $3::bigint - 1",
        offer.account().as_str(),
        offer.id().as_str(),
        offer.revision(),
        offer.state().name(),
        offer.due_time(),
        Json(offer) as _,
        offer.is_content_visible(),
    )
    .execute(tx.conn())
    .await?;
    require_written(updated.rows_affected())?;
    append(tx, &events::offer_event(offer, event, cause)).await
}

/// Removes a closed offer from the scheduled work. False if it had been removed or changed before.
pub async fn clear_due_time(tx: &mut Tx, offer: &Offer) -> Result<bool, Error> {
    let updated = sqlx::query!(
        "UPDATE offer SET due_time = NULL
         WHERE account_id = $1 AND referral_offer_id = $2 AND revision = $3 AND due_time IS NOT NULL",
        offer.account().as_str(),
        offer.id().as_str(),
        offer.revision(),
    )
    .execute(tx.conn())
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Deletes the complete content of an offer that was not accepted, or of a lead that was copied to `lead`.
pub async fn delete_content(tx: &mut Tx, offer: &Offer) -> Result<(), Error> {
    sqlx::query!(
        "DELETE FROM offer_deal WHERE account_id = $1 AND referral_offer_id = $2",
        offer.account().as_str(),
        offer.id().as_str(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// An offer that has due work.
pub struct DueOffer {
    pub account: AccountId,
    pub id: OfferId,
    due_time: DateTime<Utc>,
}

/// At most `limit` offers of all accounts that have due work, the longest due first, after `last`. Requires the scope
/// of the worker role.
pub async fn list_due_offers(
    tx: &mut Tx,
    now: DateTime<Utc>,
    last: Option<&DueOffer>,
    limit: i64,
) -> Result<Vec<DueOffer>, Error> {
    let rows = sqlx::query!(
        r#"SELECT account_id, referral_offer_id, due_time AS "due_time!" FROM offer
           WHERE due_time <= $1 AND (due_time, account_id, referral_offer_id) > ($2, $3, $4)
           ORDER BY due_time, account_id, referral_offer_id LIMIT $5"#,
        now,
        last.map_or(DateTime::UNIX_EPOCH, |offer| offer.due_time),
        last.map_or("", |offer| offer.account.as_str()),
        last.map_or("", |offer| offer.id.as_str()),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let corrupt = |error| Error::corrupt("id", error);
    rows.into_iter()
        .map(|row| {
            Ok(DueOffer {
                account: row.account_id.parse().map_err(corrupt)?,
                id: row.referral_offer_id.parse().map_err(corrupt)?,
                due_time: row.due_time,
            })
        })
        .collect()
}
