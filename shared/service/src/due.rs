use std::time::Duration;

use chrono::{DateTime, Utc};
use cosell_grpc::Failure;
use cosell_store::{Database, Error, Scope, Tx};
use cosell_types::Clock;
use tokio_util::sync::CancellationToken;
use tonic::Code;

const BATCH: i64 = 100;
const EVERY: Duration = Duration::from_secs(1);

/// Work on rows of all accounts that become due. Any number of replicas may do it at once, and after a stop of any
/// length: the row says what is due, and the first to change it has done it.
pub trait Work: Send + Sync + 'static {
    /// A row that is due.
    type Due: Send + Sync;

    /// At most so many rows that were due at this time, the longest first, after `last`. The transaction is the
    /// worker's.
    fn find(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
        last: Option<&Self::Due>,
        most: i64,
    ) -> impl Future<Output = Result<Vec<Self::Due>, Error>> + Send;

    /// Its id, for the log.
    fn id<'a>(&self, due: &'a Self::Due) -> &'a str;

    /// Does what is due, if it still is. What takes long ends when told to stop.
    fn see_to(
        &self,
        due: &Self::Due,
        stop: &CancellationToken,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Looks every second what is due, until told to stop.
pub async fn run<W: Work>(work: W, database: Database, clock: Clock, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(failure) = pass(&work, &database, &clock, &stop).await {
            tracing::warn!(%failure, "what is due could not be looked for; tried again in a moment");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// All that is due now, a batch after the other. What fails is passed over, and has its turn in the next pass: also when
/// it becomes due again before this one ends, others have theirs first.
async fn pass<W: Work>(
    work: &W,
    database: &Database,
    clock: &Clock,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let (now, mut last) = (clock.now(), None);
    while !stop.is_cancelled() {
        let mut tx = database.work.tx(&Scope::work()).await?;
        let found = work.find(&mut tx, now, last.as_ref(), BATCH).await?;
        drop(tx);
        for due in &found {
            let Err(failure) = work.see_to(due, stop).await else {
                continue;
            };
            let id = work.id(due);
            if failure.code() == Code::Aborted {
                tracing::debug!(id, "somebody else was faster");
            } else {
                tracing::warn!(%failure, id, "what is due could not be seen to; tried again in a moment");
            }
        }
        last = found.into_iter().next_back();
        if last.is_none() {
            break;
        }
    }
    Ok(())
}
