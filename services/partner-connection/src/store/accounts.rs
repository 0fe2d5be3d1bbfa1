use cosell_events::{Cause, append};
use cosell_store::{Error, Scope, Tx, require_written};
use cosell_types::{AccountId, ClosedList as _, comparison_key};
use sqlx::types::Json;

use crate::domain::{Account, AccountEvent, Profile};
use crate::events;

/// The account; none if it does not exist or row-level security hides it.
pub async fn load(tx: &mut Tx, id: &AccountId) -> Result<Option<Account>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Account>" FROM account WHERE account_id = $1"#,
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// Loads and locks the account until the end of the transaction. Invariants over several rows of an account are checked
/// under this lock.
pub async fn lock(tx: &mut Tx, id: &AccountId) -> Result<Option<Account>, Error> {
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Account>" FROM account WHERE account_id = $1 FOR NO KEY UPDATE"#,
        id.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| row.record.0))
}

/// Loads and locks two accounts in the order of their ids, so that concurrent calls cannot deadlock. `own` is loaded in
/// the scope of the transaction, so it is found only if it is the account that the transaction acts for.
pub async fn lock_both_accounts(
    tx: &mut Tx,
    own: &AccountId,
    other: &AccountId,
) -> Result<Option<[Account; 2]>, Error> {
    let scope = tx.scope().clone();
    let mut locked = [None, None];
    let order = if own <= other { [0, 1] } else { [1, 0] };
    for index in order {
        if index == 0 {
            tx.switch_scope(&scope).await?;
            locked[0] = lock(tx, own).await?;
        } else {
            tx.switch_scope(&Scope::account(other)).await?;
            locked[1] = lock(tx, other).await?;
        }
    }
    tx.switch_scope(&scope).await?;
    let [own, other] = locked;
    Ok(own.zip(other).map(|(own, other)| [own, other]))
}

/// The account of the profile, if the profile is visible to the transaction.
pub async fn find_profile_owner(tx: &mut Tx, profile: &str) -> Result<Option<AccountId>, Error> {
    let row = sqlx::query!("SELECT account_id FROM profile WHERE profile_id = $1", profile)
        .fetch_optional(tx.conn())
        .await?;
    row.map(|row| row.account_id.parse())
        .transpose()
        .map_err(|error| Error::corrupt("account_id", error))
}

/// The only function that writes accounts: stores the account and its profile, and appends the event to the outbox.
pub async fn save(
    tx: &mut Tx,
    account: &Account,
    event: AccountEvent,
    cause: Cause<'_>,
) -> Result<(), Error> {
    save_rows(tx, account).await?;
    append(tx, &events::account(account, event, cause)).await
}

/// Stores the account and its profile, without the event. Alone only in a dry run, which is rolled back.
pub async fn save_rows(tx: &mut Tx, account: &Account) -> Result<(), Error> {
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
    require_written(rows.rows_affected())?;
    if let Some(profile) = account.profile() {
        save_profile(tx, account, profile).await?;
    }
    Ok(())
}

/// Stores the searchable form of the profile.
async fn save_profile(tx: &mut Tx, account: &Account, profile: &Profile) -> Result<(), Error> {
    let facts = account.facts();
    let text = &profile.text;
    let partner_types: Vec<_> = facts
        .partner_types
        .iter()
        .map(|partner_type| partner_type.name().to_owned())
        .collect();
    let programs: Vec<_> = facts.programs.iter().cloned().collect();
    let specializations: Vec<_> = facts.specializations.iter().cloned().collect();
    sqlx::query!(
        "INSERT INTO profile (account_id, profile_id, visibility, display_name, description, country_code,
           solution_type, industries, partner_types, programs, specializations, record, tier, name_key,
           description_key, keyed_text)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $4::text || chr(10) || $5::text)
         ON CONFLICT (account_id) DO UPDATE SET visibility = $3, display_name = $4, description = $5,
           country_code = $6, solution_type = $7, industries = $8, partner_types = $9, programs = $10,
           specializations = $11, record = $12, tier = $13, name_key = $14,
           description_key = $15, keyed_text = excluded.keyed_text",
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
        comparison_key(&text.display_name),
        comparison_key(&text.description),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Stores the comparison keys of a profile without any (PLT-016).
pub async fn save_profile_keys(tx: &mut Tx, account: &Account) -> Result<(), Error> {
    let Some(profile) = account.profile() else {
        return Ok(());
    };
    sqlx::query!(
        "UPDATE profile SET name_key = $2, description_key = $3,
           keyed_text = display_name || chr(10) || description WHERE account_id = $1",
        account.id().as_str(),
        comparison_key(&profile.text.display_name),
        comparison_key(&profile.text.description),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lists at most `limit` accounts whose profile has no comparison keys, after `last`.
pub async fn list_unkeyed_profiles(
    tx: &mut Tx,
    last: Option<&AccountId>,
    limit: i64,
) -> Result<Vec<AccountId>, Error> {
    let accounts = sqlx::query_scalar!(
        "SELECT account_id FROM profile
         WHERE NOT is_keyed AND account_id > $1
         ORDER BY account_id LIMIT $2",
        last.map_or("", |last| last.as_str()),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let accounts = accounts.iter().map(|account| account.parse());
    accounts
        .collect::<Result<_, _>>()
        .map_err(|error| Error::corrupt("account_id", error))
}
