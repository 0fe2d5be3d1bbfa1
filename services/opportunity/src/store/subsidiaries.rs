use cosell_store::{Error, Tx};
use cosell_types::AccountId;

/// Lists the accounts with which an account has an active SUBSIDIARY connection.
pub async fn list_subsidiaries(tx: &mut Tx, account: &AccountId) -> Result<Vec<AccountId>, Error> {
    let ids = sqlx::query_scalar!(
        "SELECT other_account_id FROM subsidiary WHERE account_id = $1 AND is_active",
        account.as_str(),
    )
    .fetch_all(tx.conn())
    .await?;
    ids.iter()
        .map(|id| id.parse().map_err(|_| Error::corrupt("other_account_id", id)))
        .collect()
}

/// Saves whether the SUBSIDIARY type of a connection is active. Events of one connection are applied in order, so the
/// last call wins.
pub async fn upsert_subsidiary(
    tx: &mut Tx,
    account: &AccountId,
    other: &AccountId,
    connection: &str,
    is_active: bool,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO subsidiary (account_id, other_account_id, connection_id, is_active) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, connection_id) DO UPDATE SET is_active = excluded.is_active",
        account.as_str(),
        other.as_str(),
        connection,
        is_active,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
