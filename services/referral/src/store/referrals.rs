use cosell_events::{Cause, append};
use cosell_store::{Error, Tx, require_written};
use cosell_types::{AccountId, ClosedList as _};
use sqlx::types::Json;

use crate::domain::{Offer, Referral, ReferralEvent, ReferralId};
use crate::events;

/// A referral of an AWS account, with its encoded content.
pub async fn load_referral(
    tx: &mut Tx,
    account: &AccountId,
    id: &ReferralId,
) -> Result<Option<(Referral, Vec<u8>)>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Referral>", content FROM referral
           WHERE account_id = $1 AND referral_id = $2"#,
        account.as_str(),
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.record.0, row.content)))
}

/// Inserts a new referral with its event, both or neither.
pub async fn insert_referral(
    tx: &mut Tx,
    referral: &Referral,
    content: &[u8],
    event: ReferralEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    let receivers: Vec<_> = referral.receivers().iter().map(ToString::to_string).collect();
    sqlx::query!(
        "INSERT INTO referral (account_id, referral_id, revision, state, receivers, create_time, record, content)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        referral.account().as_str(),
        referral.id().as_str(),
        referral.revision(),
        referral.state().name(),
        &receivers,
        referral.create_time(),
        Json(referral) as _,
        content,
    )
    .execute(tx.conn())
    .await?;
    append(tx, &events::referral_event(referral, event, None, cause)).await
}

/// Saves a referral that changed because its offer was closed, with the event, both or neither.
pub async fn save_referral(
    tx: &mut Tx,
    referral: &Referral,
    event: ReferralEvent,
    closed_offer: &Offer,
    cause: Cause<'_>,
) -> Result<(), Error> {
    let updated = sqlx::query!(
        "UPDATE referral SET revision = $3, state = $4, record = $5
         WHERE account_id = $1 AND referral_id = $2 AND revision = $3::bigint - 1",
        referral.account().as_str(),
        referral.id().as_str(),
        referral.revision(),
        referral.state().name(),
        Json(referral) as _,
    )
    .execute(tx.conn())
    .await?;
    require_written(updated.rows_affected())?;
    append(
        tx,
        &events::referral_event(referral, event, Some(closed_offer), cause),
    )
    .await
}
