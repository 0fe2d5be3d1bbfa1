use cosell_store::{Error, Tx};

use crate::domain::{Opportunity, search};

/// Keeps the words of a record as they are now (OPP-064); most changes change none.
pub async fn keep(tx: &mut Tx, record: &Opportunity) -> Result<(), Error> {
    let words: Vec<_> = search::words_of(record).into_keys().collect();
    sqlx::query!(
        "DELETE FROM opportunity_word WHERE account_id = $1 AND opportunity_id = $2 AND word <> ALL($3::text[])",
        record.account().as_str(),
        record.id().number(),
        &words,
    )
    .execute(tx.conn())
    .await?;
    add(tx, &[record]).await
}

/// Adds the words of records, and says of each whether AWS finds the record by it now.
pub async fn add(tx: &mut Tx, records: &[&Opportunity]) -> Result<(), Error> {
    let (mut accounts, mut ids, mut words, mut shown) = (vec![], vec![], vec![], vec![]);
    for record in records {
        for (word, is_shown) in search::words_of(record) {
            accounts.push(record.account().as_str().to_owned());
            ids.push(record.id().number());
            words.push(word);
            shown.push(is_shown);
        }
    }
    sqlx::query!(
        "INSERT INTO opportunity_word (account_id, opportunity_id, word, shown_to_aws)
         SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bool[])
         ON CONFLICT (account_id, opportunity_id, word) DO UPDATE SET shown_to_aws = EXCLUDED.shown_to_aws
         WHERE opportunity_word.shown_to_aws <> EXCLUDED.shown_to_aws",
        &accounts,
        &ids,
        &words,
        &shown,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
