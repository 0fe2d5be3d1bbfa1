//! The stored denials (ACC-030): calls that were refused because of their caller.

use cosell_grpc::Denial;

use crate::{Error, Tx};

/// Inserts denials. Only the worker role has the privilege; calls have no access to the table.
pub async fn insert_denials(tx: &mut Tx, denials: &[Denial]) -> Result<(), Error> {
    let texts = |text: fn(&Denial) -> &str| {
        let texts = denials.iter().map(|denial| text(denial).to_owned());
        texts.collect::<Vec<_>>()
    };
    sqlx::query!(
        "INSERT INTO denial (account_id, time, denial_id, actor, method, reason, subject, request_id)
         SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
           $8::text[])
         ON CONFLICT DO NOTHING",
        &texts(|denial| denial.account.as_ref().map_or("", |account| account.as_str())),
        &denials.iter().map(|denial| denial.time).collect::<Vec<_>>(),
        &denials.iter().map(|denial| denial.id).collect::<Vec<_>>(),
        &texts(|denial| &denial.actor),
        &texts(|denial| &denial.rpc),
        &texts(|denial| denial.reason),
        &texts(|denial| &denial.subject),
        &texts(|denial| &denial.request_id),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes at most `limit` denials past their retention; returns their number. Row-level security enforces the
/// retention for both roles of a running service; only the owner role, which migrates, could delete denials earlier.
pub async fn delete_expired_denials(tx: &mut Tx, limit: i64) -> Result<u64, Error> {
    let deleted = sqlx::query!(
        "DELETE FROM denial WHERE (account_id, time, denial_id) IN
         (SELECT account_id, time, denial_id FROM denial WHERE time < now() - interval '400 days' ORDER BY time LIMIT $1)",
        limit,
    )
    .execute(tx.conn())
    .await?;
    Ok(deleted.rows_affected())
}
