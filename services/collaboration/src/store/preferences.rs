//! What members want of channels.

use cosell_store::{Error, Tx, written};

use crate::domain::{ChannelPreferences, Person};

/// A person's preferences; nobody starts with any.
pub async fn channel_preferences(tx: &mut Tx, person: &Person) -> Result<ChannelPreferences, Error> {
    let row = sqlx::query_as!(
        ChannelPreferences,
        "SELECT opted_out, revision FROM channel_preference WHERE account_id = $1 AND member_id = $2",
        person.account.as_str(),
        person.member.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.unwrap_or_default())
}

/// Writes preferences over those of the revision before. Another call that was faster makes this one run again.
pub async fn set_channel_preferences(
    tx: &mut Tx,
    person: &Person,
    preferences: &ChannelPreferences,
) -> Result<(), Error> {
    let saved = sqlx::query!(
        "INSERT INTO channel_preference AS old (account_id, member_id, opted_out, revision) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, member_id) DO UPDATE SET opted_out = $3, revision = $4
         WHERE old.revision = $4::bigint - 1",
        person.account.as_str(),
        person.member.as_str(),
        preferences.opted_out,
        preferences.revision,
    )
    .execute(tx.conn())
    .await?;
    written(saved.rows_affected())
}
