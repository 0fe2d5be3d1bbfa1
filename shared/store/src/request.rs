//! Idempotency (PLT-002): what a client asked under an id of its own is done once.

use chrono::{DateTime, TimeDelta, Utc};
use cosell_grpc::{Call, Failure};
use cosell_proto::Mutation;
use cosell_types::Caller;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{Error, Tx};

/// How long an id is remembered.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

/// Whether a request is new.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is: go on.
    New,
    /// It was done before, on this resource: answer with the resource's present state.
    Replay(String),
}

/// Claims the request's id as the first statement of its transaction: a twin that runs at the same time waits here
/// until this one has committed, and then replays. Only committed successes are remembered, so a refused request
/// leaves its id free and can be corrected or repeated with it.
pub async fn claim<M: Mutation>(tx: &mut Tx, call: &Call<M>, resource: &str) -> Result<Claim, Failure> {
    claim_with(tx, call, resource, &[]).await
}

/// The same for a request with something beside its message, such as a file: with another one it is another request.
pub async fn claim_with<M: Mutation>(
    tx: &mut Tx,
    call: &Call<M>,
    resource: &str,
    beside: &[u8],
) -> Result<Claim, Failure> {
    let stated = call.message.request_id();
    if stated.is_empty() {
        return Ok(Claim::New);
    }
    let request_id = Uuid::try_parse(stated).map_err(Failure::internal)?;
    let account = match &call.caller {
        Caller::Member(member) => member.account.clone(),
        // A service has no account; its ids are kept with the one that its transaction is for.
        Caller::Service(_) => tx
            .scope()
            .account_id()
            .cloned()
            .ok_or_else(|| Failure::internal("a service makes a repeatable change for no account"))?,
    };
    let actor = call.caller.actor();
    let fingerprint = Sha256::digest([&call.message.encode_to_vec(), beside].concat()).to_vec();
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

/// Forgets ids older than a day, at most so many; returns how many.
pub async fn prune(tx: &mut Tx, now: DateTime<Utc>, most: i64) -> Result<u64, Error> {
    let deleted = sqlx::query!(
        "DELETE FROM request WHERE (account_id, actor, request_id) IN
         (SELECT account_id, actor, request_id FROM request WHERE create_time < $1 ORDER BY create_time LIMIT $2)",
        now - REMEMBERED,
        most,
    )
    .execute(tx.conn())
    .await?;
    Ok(deleted.rows_affected())
}
