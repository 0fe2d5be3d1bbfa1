use chrono::{DateTime, Utc};
use cosell_store::{Error, Tx};
use cosell_types::Member;

use crate::domain::Opportunity;

/// The foreign key that refuses a flag on a record that was discarded meanwhile.
pub const FLAGGED_RECORD_CONSTRAINT: &str = "opportunity_flag_record";

/// Inserts a member's flag on a record. Does nothing if the record is flagged.
pub async fn insert_flag(
    tx: &mut Tx,
    member: &Member,
    record: &Opportunity,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO opportunity_flag (account_id, opportunity_id, member_account_id, member_id, time)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        record.account().as_str(),
        record.id().number(),
        member.account.as_str(),
        member.id.as_str(),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes a member's flag on a record.
pub async fn delete_flag(tx: &mut Tx, member: &Member, record: &Opportunity) -> Result<(), Error> {
    sqlx::query!(
        "DELETE FROM opportunity_flag
         WHERE account_id = $1 AND opportunity_id = $2 AND member_account_id = $3 AND member_id = $4",
        record.account().as_str(),
        record.id().number(),
        member.account.as_str(),
        member.id.as_str(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
