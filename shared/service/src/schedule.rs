use std::time::Duration;

use chrono::{DateTime, Utc};
use cosell_grpc::Failure;
use cosell_store::{Database, Error, Scope, Tx};
use cosell_types::Clock;
use tokio_util::sync::CancellationToken;
use tonic::Code;

const BATCH: i64 = 100;
const INTERVAL: Duration = Duration::from_secs(1);

/// Scheduled work on rows of all accounts. Safe to run in several replicas and after any downtime: the row itself
/// determines whether work is due, and the first replica that updates it completes the work.
pub trait ScheduledWork: Send + Sync + 'static {
    /// A due row.
    type Row: Send + Sync;

    /// Finds at most `limit` rows that were due at `now`, oldest due time first, after `last`. The transaction has the
    /// scope of the worker role.
    fn find_due(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
        last: Option<&Self::Row>,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<Self::Row>, Error>> + Send;

    /// The id of the row, for log entries.
    fn id<'a>(&self, due: &'a Self::Row) -> &'a str;

    /// Processes the row if it is still due. Long work must end when `stop` is cancelled.
    fn process(
        &self,
        due: &Self::Row,
        stop: &CancellationToken,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Processes due rows once a second until `stop` is cancelled.
pub async fn run<W: ScheduledWork>(work: W, database: Database, clock: Clock, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(failure) = pass(&work, &database, &clock, &stop).await {
            tracing::warn!(%failure, "finding due rows failed; retrying");
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// One pass over all rows that are due now, in batches. A row that fails is retried in the next pass, so that it does
/// not block the rows after it.
async fn pass<W: ScheduledWork>(
    work: &W,
    database: &Database,
    clock: &Clock,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let (now, mut last) = (clock.now(), None);
    while !stop.is_cancelled() {
        let mut tx = database.work.tx(&Scope::work()).await?;
        let batch = work.find_due(&mut tx, now, last.as_ref(), BATCH).await?;
        drop(tx);
        for due in &batch {
            let Err(failure) = work.process(due, stop).await else {
                continue;
            };
            let id = work.id(due);
            if failure.code() == Code::Aborted {
                tracing::debug!(id, "due row skipped: modified concurrently");
            } else {
                tracing::warn!(%failure, id, "processing due row failed; retrying");
            }
        }
        last = batch.into_iter().next_back();
        if last.is_none() {
            break;
        }
    }
    Ok(())
}
