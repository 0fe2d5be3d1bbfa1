//! Ends invitations whose time is over. Any number of replicas may do so at once, and after a stop of any length: the
//! row says what is due, and the first to lock it ends it.

use std::time::Duration;

use cosell_events::Cause;
use cosell_grpc::Failure;
use cosell_store::{Database, Scope};
use cosell_types::Clock;
use tokio_util::sync::CancellationToken;

use crate::store::{self, Due};

const BATCH: i64 = 100;
const EVERY: Duration = Duration::from_secs(1);

/// Runs until told to stop.
pub async fn run(database: Database, clock: Clock, stop: CancellationToken) {
    loop {
        if let Err(failure) = sweep(&database, &clock, &stop).await {
            tracing::warn!(%failure, "invitations could not be ended; tried again in a moment");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Ends all that are due, a batch after the other; one that cannot be ended is passed over, and its turn comes again.
async fn sweep(database: &Database, clock: &Clock, stop: &CancellationToken) -> Result<(), Failure> {
    let mut last = None;
    while !stop.is_cancelled() {
        let mut tx = database.work.tx(&Scope::work()).await?;
        let found = store::due(&mut tx, clock.now(), last.as_ref(), BATCH).await?;
        drop(tx);
        for due in &found {
            if let Err(failure) = end(database, clock, due).await {
                tracing::warn!(%failure, invitation = %due.id, "an invitation could not be ended; tried again in a moment");
            }
        }
        last = found.into_iter().next_back();
        if last.is_none() {
            break;
        }
    }
    Ok(())
}

async fn end(database: &Database, clock: &Clock, due: &Due) -> Result<(), Failure> {
    let mut tx = database.events.tx(&Scope::account(&due.sender)).await?;
    store::lock_both(&mut tx, &due.sender, &due.receiver).await?;
    let now = clock.now();
    let Some(mut invitation) = store::load_invitation(&mut tx, &due.sender, due.id.as_str()).await? else {
        return Ok(());
    };
    // Somebody else was faster, unless it is still due.
    if let Some(event) = invitation.expire(now) {
        let cause = Cause {
            actor: "service:partner",
            request_id: due.id.as_str(),
            time: now,
        };
        store::save_invitation(&mut tx, &invitation, event, cause).await?;
        tx.commit().await?;
    }
    Ok(())
}
