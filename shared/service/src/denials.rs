//! Writes denials down, many at a time, while answers have long gone out.

use std::time::Duration;

use cosell_grpc::{Denial, Failure};
use cosell_store::{Db, Scope, keep_denials};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Most denials that wait to be written.
pub const WAITING: usize = 4096;
/// Most that are written together.
const BATCH: usize = 256;
const PAUSE: Duration = Duration::from_secs(1);

/// Writes until told to stop, and then what still waits.
pub async fn keep(work: Db, mut received: mpsc::Receiver<Denial>, stop: CancellationToken) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            count = received.recv_many(&mut batch, BATCH) => if count == 0 { return },
            () = stop.cancelled() => {
                received.close();
                while received.recv_many(&mut batch, BATCH).await > 0 {}
            }
        }
        while let Err(failure) = write(&work, &batch).await {
            tracing::warn!(%failure, "denials could not be written; tried again in a moment");
            if stop.is_cancelled() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => {}
            }
        }
        batch.clear();
        if stop.is_cancelled() {
            return;
        }
    }
}

async fn write(work: &Db, batch: &[Denial]) -> Result<(), Failure> {
    let mut tx = work.tx(&Scope::work()).await?;
    keep_denials(&mut tx, batch).await?;
    tx.commit().await
}
