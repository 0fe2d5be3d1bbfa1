//! What members want by e-mail.

use cosell_store::{Error, Tx, written};
use cosell_types::{AccountId, ClosedList as _, MemberId};

use crate::domain::values::Kind;

/// What a member wants by e-mail.
#[derive(Clone, Debug, Default)]
pub struct Preferences {
    /// Kinds that it does not want.
    pub opt_outs: Vec<Kind>,
    /// How often they were changed.
    pub revision: i64,
}

/// A member's preferences; nobody starts with any.
pub async fn preferences(tx: &mut Tx, account: &AccountId, member: &MemberId) -> Result<Preferences, Error> {
    let row = sqlx::query!(
        "SELECT email_opt_outs, revision FROM preference WHERE account_id = $1 AND member_id = $2",
        account.as_str(),
        member.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map_or_else(Preferences::default, |row| Preferences {
        opt_outs: row
            .email_opt_outs
            .iter()
            .filter_map(|name| Kind::from_name(name))
            .collect(),
        revision: row.revision,
    }))
}

/// Writes preferences over those of the revision before. Another call that was faster makes this one run again.
pub async fn set_preferences(
    tx: &mut Tx,
    account: &AccountId,
    member: &MemberId,
    preferences: &Preferences,
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
    written(saved.rows_affected())
}
