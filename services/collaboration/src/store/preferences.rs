//! The channel preferences of members.

use cosell_store::{Error, Tx, require_written};

use crate::domain::{ChannelPreferences, MemberRef};

/// The preferences of a member, or the defaults while none are saved.
pub async fn load_channel_preferences(
    tx: &mut Tx,
    member_ref: &MemberRef,
) -> Result<ChannelPreferences, Error> {
    let row = sqlx::query_as!(
        ChannelPreferences,
        "SELECT opted_out, revision FROM channel_preference WHERE account_id = $1 AND member_id = $2",
        member_ref.account.as_str(),
        member_ref.member.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.unwrap_or_default())
}

/// Saves preferences if the stored ones have the preceding revision; otherwise fails as a version conflict.
pub async fn save_channel_preferences(
    tx: &mut Tx,
    member_ref: &MemberRef,
    preferences: &ChannelPreferences,
) -> Result<(), Error> {
    let saved = sqlx::query!(
        "INSERT INTO channel_preference AS old (account_id, member_id, opted_out, revision) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, member_id) DO UPDATE SET opted_out = $3, revision = $4
         WHERE old.revision = $4::bigint - 1",
        member_ref.account.as_str(),
        member_ref.member.as_str(),
        preferences.opted_out,
        preferences.revision,
    )
    .execute(tx.conn())
    .await?;
    require_written(saved.rows_affected())
}
