//! The write frame of calls: claim the request id, load the case, answer a replay, check the etag, apply the domain,
//! save, commit. Handlers supply only the domain part.

use cosell_events::Cause;
use cosell_grpc::{Call, Failure, etags};
use cosell_proto::Mutation;
use cosell_proto::cosell::review::v1 as pb;
use cosell_store::{Claim, Db, begin, claim, commit};

use crate::domain::{CaseEvent, ReviewCase};
use crate::events::CONTEXT;
use crate::load::{load_case, load_case_message};
use crate::store;

/// Changes the case with this id and returns its message. `apply` returns no event when nothing changes; a replay
/// returns the current case without running it. Concurrent changes are detected by revision when the case is saved.
pub async fn change<M: Mutation>(
    db: &Db,
    call: &Call<M>,
    (id, etag): (&str, &str),
    apply: impl FnOnce(&mut ReviewCase) -> Result<Option<CaseEvent>, Failure>,
) -> Result<pb::ReviewCase, Failure> {
    let mut tx = begin(db, call).await?;
    let claimed = claim(&mut tx, call, id).await?;
    let mut case = load_case(&mut tx, id).await?;
    if claimed != Claim::New {
        return load_case_message(&mut tx, &case).await;
    }
    etags::check(etag, case.revision())?;
    let event = apply(&mut case)?;
    if let Some(event) = &event {
        store::save_case(&mut tx, &case, event, Cause::of(call, case.update_time())).await?;
    }
    let message = load_case_message(&mut tx, &case).await?;
    if let Some(event) = event
        && commit(tx, call, CONTEXT, &[event.name()]).await?
    {
        tracing::info!(
            review_case.id = %case.id(),
            revision = case.revision(),
            event = event.name(),
            "review case changed"
        );
    }
    Ok(message)
}
