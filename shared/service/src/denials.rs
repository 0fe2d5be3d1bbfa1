//! Writes denials down, many at a time, while answers have long gone out.

use std::collections::HashMap;
use std::time::Duration;

use cosell_grpc::{Denial, Failure};
use cosell_store::{Db, Scope, keep_denials};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Most denials that wait to be written.
pub const WAITING: usize = 4096;
/// Most that are written together.
const BATCH: usize = 256;
/// Most that are kept of one caller in a minute.
const MOST_A_MINUTE: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// Writes until told to stop, and then what still waits.
pub async fn keep(work: Db, mut received: mpsc::Receiver<Denial>, stop: CancellationToken) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut kept = Kept::default();
    loop {
        tokio::select! {
            count = received.recv_many(&mut batch, BATCH) => if count == 0 { return },
            () = stop.cancelled() => {
                received.close();
                while received.recv_many(&mut batch, BATCH).await > 0 {}
            }
        }
        batch.retain(|denial| kept.has_room_for(denial));
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

/// How many denials of each caller were kept in this minute. Whoever is refused again and again must not fill the table:
/// after the first ones of a minute they are only counted.
#[derive(Default)]
struct Kept {
    minute: i64,
    of: HashMap<String, u32>,
}

impl Kept {
    fn has_room_for(&mut self, denial: &Denial) -> bool {
        let minute = denial.time.timestamp() / 60;
        if minute > self.minute {
            self.minute = minute;
            self.of.clear();
        }
        let account = denial.account.as_ref().map_or("", |account| account.as_str());
        let count = self.of.entry(format!("{account} {}", denial.actor)).or_default();
        *count += 1;
        if *count == MOST_A_MINUTE {
            tracing::warn!(
                account,
                actor = denial.actor,
                "refused so often that no more is kept this minute"
            );
        }
        *count <= MOST_A_MINUTE
    }
}

async fn write(work: &Db, batch: &[Denial]) -> Result<(), Failure> {
    let mut tx = work.tx(&Scope::work()).await?;
    keep_denials(&mut tx, batch).await?;
    tx.commit().await
}
