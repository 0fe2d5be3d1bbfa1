use cosell_members::account_summary;
use cosell_store::{Error, Scope, Tx};
use cosell_types::AccountId;

/// Whether two accounts have an active connection, which stays active until the transaction ends (COL-002). The
/// transaction has the scope of the first account afterwards.
pub async fn is_connected(tx: &mut Tx, account: &AccountId, other: &AccountId) -> Result<bool, Error> {
    tx.switch_scope(&Scope::account(account)).await?;
    let rows = sqlx::query!(
        "SELECT connection_id FROM connected WHERE account_id = $1 AND other_account_id = $2 AND is_active FOR SHARE",
        account.as_str(),
        other.as_str(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(!rows.is_empty())
}

/// Whether the account is an active partner account that has accepted the program terms (COL-002). The transaction has
/// the scope of that account afterwards.
pub async fn is_active_partner(tx: &mut Tx, account: &AccountId) -> Result<bool, Error> {
    tx.switch_scope(&Scope::account(account)).await?;
    let facts = account_summary(tx, account).await?;
    Ok(facts.is_some_and(|facts| facts.is_partner && facts.is_active && facts.terms_accepted))
}

/// Saves whether a connection of type OPPORTUNITY_COLLABORATION is active. Needs no revision, because the events of a
/// connection are applied in order.
pub async fn save_connection(
    tx: &mut Tx,
    account: &AccountId,
    other: &AccountId,
    connection: &str,
    is_active: bool,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO connected (account_id, connection_id, other_account_id, is_active) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, connection_id) DO UPDATE SET is_active = excluded.is_active",
        account.as_str(),
        connection,
        other.as_str(),
        is_active,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
