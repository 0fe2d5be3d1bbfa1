use chrono::{DateTime, Utc};
use cosell_events::{Cause, append};
use cosell_store::{Error, Tx, written};
use cosell_types::{AccountId, ClosedList as _};
use sqlx::types::Json;

use crate::domain::{Event, Offer, OfferId, Referral};
use crate::events;

/// An offer to an account, with what the partner may know.
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

/// An offer, whoever's it is, as far as row-level security shows it.
pub async fn load_any_offer(tx: &mut Tx, id: &OfferId) -> Result<Option<Offer>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Offer>" FROM offer WHERE referral_offer_id = $1"#,
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The whole deal or lead of an offer.
pub async fn load_deal(tx: &mut Tx, offer: &Offer) -> Result<Option<Vec<u8>>, Error> {
    let deal = sqlx::query_scalar!(
        "SELECT deal FROM offer_deal WHERE account_id = $1 AND referral_offer_id = $2",
        offer.account().as_str(),
        offer.id().as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(deal)
}

/// The offers made of referrals of an AWS account.
pub async fn offers_of(tx: &mut Tx, sender: &AccountId, referrals: &[Referral]) -> Result<Vec<Offer>, Error> {
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

/// Makes an offer: the row, what the partner may know, the whole deal or lead, and the event, or none of them.
pub async fn make_offer(
    tx: &mut Tx,
    offer: &Offer,
    (shown, deal): (&[u8], &[u8]),
    event: Event,
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
        shown,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "INSERT INTO offer_deal (account_id, referral_offer_id, deal) VALUES ($1, $2, $3)",
        offer.account().as_str(),
        offer.id().as_str(),
        deal,
    )
    .execute(tx.conn())
    .await?;
    append(tx, &events::of_offer(offer, event, cause)).await
}

/// The only way to change an offer: the row and its event, or none of them. What is not shown any more is gone.
pub async fn save_offer(tx: &mut Tx, offer: &Offer, event: Event, cause: Cause<'_>) -> Result<(), Error> {
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
        offer.is_shown(),
    )
    .execute(tx.conn())
    .await?;
    written(updated.rows_affected())?;
    append(tx, &events::of_offer(offer, event, cause)).await
}

/// Notes that nothing is left to be done about an offer that has ended; false where that was known.
pub async fn settle(tx: &mut Tx, offer: &Offer) -> Result<bool, Error> {
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

/// The deal is not for this partner, or the lead is where the partner has it.
pub async fn forget_deal(tx: &mut Tx, offer: &Offer) -> Result<(), Error> {
    sqlx::query!(
        "DELETE FROM offer_deal WHERE account_id = $1 AND referral_offer_id = $2",
        offer.account().as_str(),
        offer.id().as_str(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// An offer about which something is to be done.
pub struct Due {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub id: OfferId,
    due_time: DateTime<Utc>,
}

/// Offers of all accounts about which something is to be done, the longest overdue first, after `last`; for the worker.
pub async fn due(tx: &mut Tx, now: DateTime<Utc>, last: Option<&Due>, most: i64) -> Result<Vec<Due>, Error> {
    let rows = sqlx::query!(
        r#"SELECT account_id, referral_offer_id, due_time AS "due_time!" FROM offer
           WHERE due_time <= $1 AND (due_time, account_id, referral_offer_id) > ($2, $3, $4)
           ORDER BY due_time, account_id, referral_offer_id LIMIT $5"#,
        now,
        last.map_or(DateTime::UNIX_EPOCH, |due| due.due_time),
        last.map_or("", |due| due.account.as_str()),
        last.map_or("", |due| due.id.as_str()),
        most,
    )
    .fetch_all(tx.conn())
    .await?;
    let corrupt = |error| Error::corrupt("id", error);
    rows.into_iter()
        .map(|row| {
            Ok(Due {
                account: row.account_id.parse().map_err(corrupt)?,
                id: row.referral_offer_id.parse().map_err(corrupt)?,
                due_time: row.due_time,
            })
        })
        .collect()
}
