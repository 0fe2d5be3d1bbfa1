use cosell_store::{Error, Tx};

use crate::domain::{Opportunity, search};

/// Keeps the words of records as they are now (OPP-064); most changes change none.
pub async fn keep(tx: &mut Tx, records: &[&Opportunity]) -> Result<(), Error> {
    let (mut accounts, mut ids) = (vec![], vec![]);
    let (mut words_ids, mut words) = (vec![], vec![]);
    for record in records {
        let id = record.id().number();
        accounts.push(record.account().to_string());
        ids.push(id);
        words.extend(search::words_of(record).into_keys());
        words_ids.resize(words.len(), id);
    }
    sqlx::query!(
        "DELETE FROM opportunity_word AS row USING unnest($1::text[], $2::bigint[]) AS kept (account, id)
         WHERE row.account_id = kept.account AND row.opportunity_id = kept.id
           AND (row.opportunity_id, row.word) NOT IN (SELECT * FROM unnest($3::bigint[], $4::text[]))",
        &accounts,
        &ids,
        &words_ids,
        &words,
    )
    .execute(tx.conn())
    .await?;
    add(tx, records).await
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
