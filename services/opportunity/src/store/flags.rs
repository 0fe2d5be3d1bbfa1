use chrono::{DateTime, Utc};
use cosell_store::{Error, Tx};
use cosell_types::Member;

use crate::domain::Opportunity;

/// The constraint that refuses a flag of a record that is gone.
pub const FLAGGED_RECORD: &str = "opportunity_flag_record";

/// Whether a member has flagged a record (OPP-066).
pub async fn is_flagged(tx: &mut Tx, member: &Member, record: &Opportunity) -> Result<bool, Error> {
    let flag = sqlx::query!(
        "SELECT time FROM opportunity_flag
         WHERE account_id = $1 AND opportunity_id = $2 AND member_account_id = $3 AND member_id = $4",
        record.account().as_str(),
        record.id().number(),
        member.account.as_str(),
        member.id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(flag.is_some())
}

/// Flags a record for a member.
pub async fn flag(
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

/// Takes a member's flag away.
pub async fn unflag(tx: &mut Tx, member: &Member, record: &Opportunity) -> Result<(), Error> {
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
