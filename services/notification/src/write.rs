//! The write frame of calls: claim the request id, apply the change unless the call is a replay, commit. Inboxes and
//! preferences belong to the calling member, so visibility needs no check, and changes publish no events.

use cosell_grpc::{Call, Failure};
use cosell_proto::Mutation;
use cosell_store::{Claim, Db, Tx, begin, claim, commit};

use crate::events::CONTEXT;

/// Changes the inbox or the preferences of the calling member. `apply` also runs for a replay, which it must answer
/// without a change.
pub async fn change<M: Mutation, T>(
    db: &Db,
    call: &Call<M>,
    apply: impl AsyncFnOnce(&mut Tx, Claim) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut tx = begin(db, call).await?;
    let claimed = claim(&mut tx, call, "").await?;
    let applied = apply(&mut tx, claimed).await?;
    commit(tx, call, CONTEXT, &[]).await?;
    Ok(applied)
}
