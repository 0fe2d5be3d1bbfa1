//! Reads a stream of records in batches.

use std::time::Duration;

use cosell_grpc::Failure;
use tonic::Streaming;

use super::record::{Record, account_id};

/// Maximum number of records in a batch.
pub const MAX_BATCH_SIZE: usize = 500;
/// A batch that is not full is complete when no record arrives for this long.
const MAX_WAIT: Duration = Duration::from_millis(20);

/// The records of a stream, in batches of consecutive records of one account. Holds at most one record of the next
/// batch.
pub struct RecordBatches {
    records: Streaming<Record>,
    /// The first record of the next batch, if it has been received.
    next: Option<Record>,
}

impl RecordBatches {
    pub fn new(records: Streaming<Record>) -> Self {
        Self { records, next: None }
    }

    /// The next batch; empty at the end of the stream. All of its records are dry runs, or none is.
    pub async fn next_batch(&mut self) -> Result<Vec<Record>, Failure> {
        let mut batch = Vec::new();
        while batch.len() < MAX_BATCH_SIZE {
            let next = match self.next.take() {
                Some(record) => Some(record),
                None if batch.is_empty() => self.receive().await?,
                None => match tokio::time::timeout(MAX_WAIT, self.receive()).await {
                    Ok(received) => received?,
                    Err(_) => break,
                },
            };
            let Some(record) = next else { break };
            let belongs_to_batch = batch.last().is_none_or(|last| {
                account_id(last) == account_id(&record) && last.validate_only == record.validate_only
            });
            if !belongs_to_batch {
                self.next = Some(record);
                break;
            }
            batch.push(record);
        }
        Ok(batch)
    }

    async fn receive(&mut self) -> Result<Option<Record>, Failure> {
        self.records.message().await.map_err(|error| {
            tracing::debug!(cause = error.message(), "directory record was not decoded");
            Failure::malformed()
        })
    }
}
