//! Records that were stored without comparison keys (PLT-016).

use cosell_store::{Error, Tx};
use cosell_types::{AccountId, OpportunityId};
use sqlx::types::Json;

use super::opportunity_words::replace_words;
use crate::domain::Opportunity;

/// A record whose current revision has no keys.
pub struct UnkeyedOpportunity {
    pub account: AccountId,
    number: i64,
    pub id: String,
}

/// Lists at most `limit` records without keys, of all accounts, after `last`.
pub async fn list_unkeyed(
    tx: &mut Tx,
    last: Option<&UnkeyedOpportunity>,
    limit: i64,
) -> Result<Vec<UnkeyedOpportunity>, Error> {
    let rows = sqlx::query!(
        "SELECT account_id, opportunity_id FROM opportunity
         WHERE NOT is_keyed AND (account_id, opportunity_id) > ($1, $2)
         ORDER BY account_id, opportunity_id LIMIT $3",
        last.map_or("", |last| last.account.as_str()),
        last.map_or(0, |last| last.number),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            let corrupt = |error: &str| Error::corrupt("opportunity_id", error);
            let id = OpportunityId::from_number(row.opportunity_id).ok_or_else(|| corrupt("out of range"))?;
            let account = row.account_id.parse();
            Ok(UnkeyedOpportunity {
                account: account.map_err(|error| Error::corrupt("account_id", error))?,
                number: row.opportunity_id,
                id: id.to_string(),
            })
        })
        .collect()
}

/// Writes the keys and search terms of a record, unless it has them by now. Returns whether its partner identifier
/// collides with that of another record, which keeps the key.
pub async fn write_keys(tx: &mut Tx, unkeyed: &UnkeyedOpportunity) -> Result<bool, Error> {
    let account = unkeyed.account.as_str();
    let row = sqlx::query!(
        r#"SELECT record AS "record: Json<Opportunity>" FROM opportunity
           WHERE account_id = $1 AND opportunity_id = $2 AND NOT is_keyed FOR UPDATE"#,
        account,
        unkeyed.number,
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(record) = row.map(|row| row.record.0) else {
        return Ok(false);
    };
    replace_words(tx, &[&record]).await?;
    let collides = sqlx::query_scalar!(
        r#"UPDATE opportunity SET company_key = $3, partner_identifier_key = $4, keyed_revision = revision,
             partner_identifier_collision = CASE WHEN $4 <> '' AND EXISTS (SELECT FROM opportunity other
               WHERE other.account_id = $1 AND other.partner_identifier_key = $4 AND other.opportunity_id <> $2
                 AND other.partner_identifier_collision = 0) THEN $2 ELSE 0 END
           WHERE account_id = $1 AND opportunity_id = $2
           RETURNING partner_identifier_collision <> 0 AS "collides!""#,
        account,
        unkeyed.number,
        record.details().company_key(),
        record.details().partner_identifier_key(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(collides)
}
