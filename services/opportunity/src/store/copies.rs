use cosell_store::{Error, Tx};
use cosell_types::{AccountId, OpportunityId};

use crate::domain::{Opportunity, Source};

/// Notes that a record is a copy of another one. The transaction is for the account whose that one is.
pub async fn add(tx: &mut Tx, copy: &Opportunity, source: &Source) -> Result<(), Error> {
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

/// The copies of a record, with the accounts whose they are.
pub async fn of(
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
