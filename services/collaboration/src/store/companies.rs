use cosell_members::account_standing;
use cosell_store::{Error, Scope, Tx};
use cosell_types::AccountId;

/// Whether two companies are connected, and stay so until the transaction ends (COL-002). The transaction is for the
/// first one afterwards.
pub async fn is_connected(tx: &mut Tx, account: &AccountId, other: &AccountId) -> Result<bool, Error> {
    tx.act_for(&Scope::account(account)).await?;
    let found = sqlx::query!(
        "SELECT connection_id FROM connected WHERE account_id = $1 AND other_account_id = $2 AND is_active FOR SHARE",
        account.as_str(),
        other.as_str(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(!found.is_empty())
}

/// Whether a company is an active partner that has accepted the terms. The transaction is for that company afterwards.
pub async fn takes_part(tx: &mut Tx, account: &AccountId) -> Result<bool, Error> {
    tx.act_for(&Scope::account(account)).await?;
    let standing = account_standing(tx, account).await?;
    Ok(standing.is_some_and(|standing| standing.is_partner && standing.is_active && standing.terms_accepted))
}

/// Notes whether a connection is for collaboration now. Events of a connection come in order.
pub async fn put_connection(
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
