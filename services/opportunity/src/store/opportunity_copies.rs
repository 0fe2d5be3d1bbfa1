use cosell_store::{Error, Tx};
use cosell_types::{AccountId, OpportunityId};

use crate::domain::{CopySource, Opportunity};

/// Inserts the link from the source of a shared copy to the copy (OPP-092). The transaction must be in the scope of the
/// source's account.
pub async fn insert_copy(tx: &mut Tx, copy: &Opportunity, source: &CopySource) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO opportunity_copy (account_id, opportunity_id, copy_account_id, copy_opportunity_id)
         VALUES ($1, $2, $3, $4)",
        source.account.as_str(),
        source.opportunity.number(),
        copy.account().as_str(),
        copy.id().number(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lists the shared copies of an opportunity, each with the account that owns it.
pub async fn list_copies(
    tx: &mut Tx,
    account: &AccountId,
    id: OpportunityId,
) -> Result<Vec<(AccountId, OpportunityId)>, Error> {
    let rows = sqlx::query!(
        "SELECT copy_account_id, copy_opportunity_id FROM opportunity_copy
         WHERE account_id = $1 AND opportunity_id = $2 ORDER BY copy_account_id, copy_opportunity_id",
        account.as_str(),
        id.number(),
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            let account = row
                .copy_account_id
                .parse()
                .map_err(|error| Error::corrupt("copy_account_id", error))?;
            let id = OpportunityId::from_number(row.copy_opportunity_id);
            Ok((
                account,
                id.ok_or_else(|| Error::corrupt("copy_opportunity_id", row.copy_opportunity_id))?,
            ))
        })
        .collect()
}
