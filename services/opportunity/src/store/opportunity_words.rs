use cosell_store::{Error, Tx};

use crate::domain::{Opportunity, search};

/// Replaces the search terms of changed records (OPP-064). Writes only the differences: most changes affect no term.
pub async fn replace_words(tx: &mut Tx, records: &[&Opportunity]) -> Result<(), Error> {
    let (mut accounts, mut ids) = (vec![], vec![]);
    let (mut word_ids, mut words) = (vec![], vec![]);
    for record in records {
        let id = record.id().number();
        accounts.push(record.account().to_string());
        ids.push(id);
        words.extend(search::index_terms(record).into_keys());
        word_ids.resize(words.len(), id);
    }
    sqlx::query!(
        "DELETE FROM opportunity_word AS row USING unnest($1::text[], $2::bigint[]) AS kept (account, id)
         WHERE row.account_id = kept.account AND row.opportunity_id = kept.id
           AND (row.opportunity_id, row.word) NOT IN (SELECT * FROM unnest($3::bigint[], $4::text[]))",
        &accounts,
        &ids,
        &word_ids,
        &words,
    )
    .execute(tx.conn())
    .await?;
    insert_words(tx, records).await
}

/// Inserts the search terms of records, and sets for each whether it is searchable by AWS.
pub async fn insert_words(tx: &mut Tx, records: &[&Opportunity]) -> Result<(), Error> {
    let (mut accounts, mut ids, mut words, mut shown_to_aws) = (vec![], vec![], vec![], vec![]);
    for record in records {
        for (word, is_shown_to_aws) in search::index_terms(record) {
            accounts.push(record.account().as_str().to_owned());
            ids.push(record.id().number());
            words.push(word);
            shown_to_aws.push(is_shown_to_aws);
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
        &shown_to_aws,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
