use cosell_events::{Cause, append};
use cosell_store::{Error, Scope, Tx, written};
use cosell_types::{AccountId, ClosedList as _};
use sqlx::types::Json;

use crate::domain::{Account, AccountEvent, Profile};
use crate::events;

/// An account, as far as row-level security shows it.
pub async fn load(tx: &mut Tx, id: &AccountId) -> Result<Option<Account>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Account>" FROM account WHERE account_id = $1"#,
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The account, which nobody else can lock until the end of the transaction. Whatever has to hold over several rows of
/// an account is checked under its lock.
pub async fn lock(tx: &mut Tx, id: &AccountId) -> Result<Option<Account>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Account>" FROM account WHERE account_id = $1 FOR NO KEY UPDATE"#,
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// The account that the transaction is for and another, locked in the order of their ids, so that no two calls wait for
/// each other. The own one is sought in the scope that the transaction has, and so found only if it is the own one.
pub async fn lock_both(
    tx: &mut Tx,
    own: &AccountId,
    other: &AccountId,
) -> Result<Option<[Account; 2]>, Error> {
    let scope = tx.scope().clone();
    let mut locked = [None, None];
    let order = if own <= other { [0, 1] } else { [1, 0] };
    for which in order {
        if which == 0 {
            tx.act_for(&scope).await?;
            locked[0] = lock(tx, own).await?;
        } else {
            tx.act_for(&Scope::account(other)).await?;
            locked[1] = lock(tx, other).await?;
        }
    }
    tx.act_for(&scope).await?;
    let [own, other] = locked;
    Ok(own.zip(other).map(|(own, other)| [own, other]))
}

/// Whose profile it is, if the transaction may see it.
pub async fn owner_of_profile(tx: &mut Tx, profile: &str) -> Result<Option<AccountId>, Error> {
    let row = sqlx::query!("SELECT account_id FROM profile WHERE profile_id = $1", profile)
        .fetch_optional(tx.conn())
        .await?;
    row.map(|row| row.account_id.parse())
        .transpose()
        .map_err(|error| Error::corrupt("account_id", error))
}

/// The only way to write an account: the row, what others find of it, and the event, or none of them.
pub async fn save(
    tx: &mut Tx,
    account: &Account,
    event: AccountEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    let rows = sqlx::query!(
        "INSERT INTO account (account_id, revision, record) VALUES ($1, $2, $3)
         ON CONFLICT (account_id) DO UPDATE SET revision = $2, record = $3
         WHERE account.revision = $2::bigint - 1",
        account.id().as_str(),
        account.revision(),
        Json(account) as _,
    )
    .execute(tx.conn())
    .await?;
    written(rows.rows_affected())?;
    if let Some(profile) = account.profile() {
        show(tx, account, profile).await?;
    }
    append(tx, &events::account(account, event, cause)).await
}

async fn show(tx: &mut Tx, account: &Account, profile: &Profile) -> Result<(), Error> {
    let facts = account.facts();
    let text = &profile.text;
    let partner_types: Vec<_> = facts
        .partner_types
        .iter()
        .map(|kind| kind.name().to_owned())
        .collect();
    let programs: Vec<_> = facts.programs.iter().cloned().collect();
    let specializations: Vec<_> = facts.specializations.iter().cloned().collect();
    sqlx::query!(
        "INSERT INTO profile (account_id, profile_id, visibility, display_name, description, country_code,
           solution_type, industries, partner_types, programs, specializations, record, tier)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (account_id) DO UPDATE SET visibility = $3, display_name = $4, description = $5,
           country_code = $6, solution_type = $7, industries = $8, partner_types = $9, programs = $10,
           specializations = $11, record = $12, tier = $13",
        account.id().as_str(),
        profile.id.as_str(),
        profile.visibility.name(),
        text.display_name,
        text.description,
        text.country_code,
        text.solution_type.name(),
        &text.industries,
        &partner_types,
        &programs,
        &specializations,
        Json(profile) as _,
        facts.tier.name(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
