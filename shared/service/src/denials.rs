//! Stores denials in batches, after the responses to the denied calls.

use std::collections::HashMap;
use std::time::Duration;

use cosell_grpc::{Denial, Failure};
use cosell_store::{Db, Scope, insert_denials};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Maximum denials in the queue.
pub const QUEUE_CAPACITY: usize = 4096;
/// Maximum denials per transaction.
const BATCH: usize = 256;
/// Maximum denials of one caller that are stored per minute.
const MAX_PER_MINUTE: u32 = 60;
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Stores denials until `stop` is cancelled, then the rest of the queue.
pub async fn run(work: Db, mut received: mpsc::Receiver<Denial>, stop: CancellationToken) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut stored = StoredPerCaller::default();
    loop {
        tokio::select! {
            count = received.recv_many(&mut batch, BATCH) => if count == 0 { return },
            () = stop.cancelled() => {
                received.close();
                while received.recv_many(&mut batch, BATCH).await > 0 {}
            }
        }
        batch.retain(|denial| stored.count_within_limit(denial));
        while let Err(failure) = write(&work, &batch).await {
            tracing::warn!(%failure, "storing denials failed; retrying");
            if stop.is_cancelled() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(RETRY_DELAY) => {}
                () = stop.cancelled() => {}
            }
        }
        batch.clear();
        if stop.is_cancelled() {
            return;
        }
    }
}

/// Denials of each caller in the current minute. Beyond the limit they are only counted by the metric, so that one
/// caller cannot fill the table.
#[derive(Default)]
struct StoredPerCaller {
    minute: i64,
    counts: HashMap<String, u32>,
}

impl StoredPerCaller {
    fn count_within_limit(&mut self, denial: &Denial) -> bool {
        let minute = denial.time.timestamp() / 60;
        if minute > self.minute {
            self.minute = minute;
            self.counts.clear();
        }
        let account = denial.account.as_ref().map_or("", |account| account.as_str());
        let count = self
            .counts
            .entry(format!("{account} {}", denial.actor))
            .or_default();
        *count += 1;
        if *count == MAX_PER_MINUTE {
            tracing::warn!(
                account,
                actor = denial.actor,
                "denial limit of the caller reached; further denials of this minute are not stored"
            );
        }
        *count <= MAX_PER_MINUTE
    }
}

async fn write(work: &Db, batch: &[Denial]) -> Result<(), Failure> {
    let mut tx = work.tx(&Scope::work()).await?;
    insert_denials(&mut tx, batch).await?;
    tx.commit().await
}
