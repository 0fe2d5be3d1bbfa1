//! The e-mail preferences of members (NOT-003).

use cosell_store::{Error, Tx, require_written};
use cosell_types::{AccountId, ClosedList as _, MemberId};

use crate::domain::EmailPreferences;
use crate::domain::values::NotificationKind;

/// The preferences of a member; the default before its first update.
pub async fn load_preferences(
    tx: &mut Tx,
    account: &AccountId,
    member: &MemberId,
) -> Result<EmailPreferences, Error> {
    let row = sqlx::query!(
        "SELECT email_opt_outs, revision FROM preference WHERE account_id = $1 AND member_id = $2",
        account.as_str(),
        member.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(
        row.map_or_else(EmailPreferences::default, |row| EmailPreferences {
            opt_outs: row
                .email_opt_outs
                .iter()
                .filter_map(|name| NotificationKind::from_name(name))
                .collect(),
            revision: row.revision,
        }),
    )
}

/// Saves preferences, unless the same revision was saved concurrently: then it fails with a version conflict, and the
/// caller tries again.
pub async fn save_preferences(
    tx: &mut Tx,
    account: &AccountId,
    member: &MemberId,
    preferences: &EmailPreferences,
) -> Result<(), Error> {
    let names: Vec<_> = preferences
        .opt_outs
        .iter()
        .map(|kind| kind.name().to_owned())
        .collect();
    let saved = sqlx::query!(
        "INSERT INTO preference AS old (account_id, member_id, email_opt_outs, revision) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, member_id) DO UPDATE SET email_opt_outs = $3, revision = $4
         WHERE old.revision = $4::bigint - 1",
        account.as_str(),
        member.as_str(),
        &names,
        preferences.revision,
    )
    .execute(tx.conn())
    .await?;
    require_written(saved.rows_affected())
}
