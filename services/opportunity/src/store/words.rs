use cosell_store::{Error, Tx};

use crate::domain::{Opportunity, search};

/// Keeps the words of a record as they are now (OPP-064); most changes change none.
pub async fn keep(tx: &mut Tx, record: &Opportunity) -> Result<(), Error> {
    let (words, shown): (Vec<_>, Vec<_>) = search::words_of(record).into_iter().unzip();
    let (account, id) = (record.account().as_str(), record.id().number());
    sqlx::query!(
        "DELETE FROM opportunity_word WHERE account_id = $1 AND opportunity_id = $2 AND word <> ALL($3::text[])",
        account,
        id,
        &words,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "INSERT INTO opportunity_word (account_id, opportunity_id, word, shown_to_aws)
         SELECT $1, $2, * FROM unnest($3::text[], $4::bool[])
         ON CONFLICT (account_id, opportunity_id, word) DO UPDATE SET shown_to_aws = EXCLUDED.shown_to_aws
         WHERE opportunity_word.shown_to_aws <> EXCLUDED.shown_to_aws",
        account,
        id,
        &words,
        &shown,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
