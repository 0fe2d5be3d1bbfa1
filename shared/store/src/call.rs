//! Begins and commits the transaction of a call. The steps in between are in `write.rs` of each service.

use std::time::Duration;

use cosell_grpc::{Call, Failure};
use cosell_proto::Mutation;
use cosell_telemetry::metrics::{Trigger, count_transition};

use crate::{Db, Scope, Tx};

/// Begins the transaction of a call, in the scope of its caller and within its deadline.
pub async fn begin<M>(db: &Db, call: &Call<M>) -> Result<Tx, Failure> {
    Ok(db.tx(&Scope::of(call)).await?)
}

/// Begins a transaction of a stream, which outlives the deadline of its call: `limit` applies to each statement
/// instead.
pub async fn begin_with_timeout<M>(db: &Db, call: &Call<M>, limit: Duration) -> Result<Tx, Failure> {
    Ok(db.tx(&Scope::of(call).with_statement_timeout(limit)).await?)
}

/// Commits the transaction of a call and counts its transitions. With `validate_only` it is rolled back instead
/// (PLT-004). Returns whether it was committed.
pub async fn commit<M: Mutation>(
    tx: Tx,
    call: &Call<M>,
    context: &str,
    transitions: &[&str],
) -> Result<bool, Failure> {
    if call.message.validate_only() {
        return Ok(false);
    }
    tx.commit().await?;
    for transition in transitions {
        count_transition(context, transition, Trigger::Call);
    }
    Ok(true)
}
