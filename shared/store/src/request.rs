//! Idempotency (PLT-002): a write with a `request_id` takes effect once.

use chrono::{DateTime, TimeDelta, Utc};
use cosell_grpc::{Call, Failure};
use cosell_proto::Mutation;
use cosell_types::Caller;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{Error, Tx};

/// Retention of request ids.
const RETENTION: TimeDelta = TimeDelta::hours(24);

/// The result of claiming a request id.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// The request is new: execute it.
    New,
    /// The request was executed before, on this resource: respond with the current state of the resource.
    Replay(String),
}

/// Claims the request id as the first statement of the transaction: a concurrent duplicate waits here until this
/// transaction commits, and then replays it. Only committed requests are stored, so a refused request can be corrected
/// and sent again with the same id.
pub async fn claim<M: Mutation>(tx: &mut Tx, call: &Call<M>, resource: &str) -> Result<Claim, Failure> {
    claim_with_attachment(tx, call, resource, &[]).await
}

/// As [`claim`], for a request with an attachment such as a file, which is part of the request's fingerprint.
pub async fn claim_with_attachment<M: Mutation>(
    tx: &mut Tx,
    call: &Call<M>,
    resource: &str,
    attachment: &[u8],
) -> Result<Claim, Failure> {
    let stated = call.message.request_id();
    if stated.is_empty() {
        return Ok(Claim::New);
    }
    let request_id = Uuid::try_parse(stated).map_err(Failure::internal)?;
    let account = match &call.caller {
        Caller::Member(member) => member.account.clone(),
        // A service has no account; its request ids are stored with the account of the transaction's scope.
        Caller::Service(_) => tx.scope().account_id().cloned().ok_or_else(|| {
            Failure::internal("a service sent a request_id in a transaction without an account")
        })?,
    };
    let actor = call.caller.actor();
    // A UUID has several forms, and a client may repeat it in another one.
    let canonical = request_id.to_string();
    let request = match canonical == stated {
        true => call.message.encode_to_vec(),
        false => call.message.with_request_id(canonical).encode_to_vec(),
    };
    let fingerprint = Sha256::digest([&request, attachment].concat()).to_vec();
    let inserted = sqlx::query!(
        "INSERT INTO request (account_id, actor, request_id, method, fingerprint, resource, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        account.as_str(),
        actor,
        request_id,
        &*call.tag.rpc,
        fingerprint,
        resource,
        call.tag.received,
    )
    .execute(tx.conn())
    .await
    .map_err(Error::from)?;
    if inserted.rows_affected() == 1 {
        return Ok(Claim::New);
    }
    let earlier = sqlx::query!(
        "SELECT method, fingerprint, resource FROM request WHERE account_id = $1 AND actor = $2 AND request_id = $3",
        account.as_str(),
        actor,
        request_id,
    )
    .fetch_one(tx.conn())
    .await
    .map_err(Error::from)?;
    if earlier.method == *call.tag.rpc && earlier.fingerprint == fingerprint {
        Ok(Claim::Replay(earlier.resource))
    } else {
        Err(Failure::request_id_reused())
    }
}

/// Deletes at most `limit` request ids past their retention; returns their number.
pub async fn delete_expired_requests(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<u64, Error> {
    let deleted = sqlx::query!(
        "DELETE FROM request WHERE (account_id, actor, request_id) IN
         (SELECT account_id, actor, request_id FROM request WHERE create_time < $1 ORDER BY create_time LIMIT $2)",
        now - RETENTION,
        limit,
    )
    .execute(tx.conn())
    .await?;
    Ok(deleted.rows_affected())
}
