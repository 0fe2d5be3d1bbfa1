use std::pin::Pin;

use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::partner::v1 as pb;
use futures::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::Api;
use crate::provisioning::{MAX_BATCH_SIZE, Provisioner, Record, RecordBatches};

/// The results, in the order of the records.
pub type Results = Pin<Box<dyn Stream<Item = Result<pb::ApplyDirectoryResponse, Failure>> + Send>>;

/// Applies records while they arrive. Holds at most one batch of records, and as many results.
pub fn handle(api: Api, call: Call<Streaming<Record>>) -> Results {
    let (sender, receiver) = mpsc::channel(MAX_BATCH_SIZE);
    let Call {
        message: records,
        caller,
        tag,
        ..
    } = call;
    let provisioner = Provisioner {
        db: api.db,
        clock: api.clock,
        quotas: api.quotas,
        actor: caller.actor(),
        tag,
    };
    let task = tokio::spawn(send_results(
        RecordBatches::new(records),
        provisioner,
        sender.clone(),
    ));
    tokio::spawn(async move {
        // After a panic the stream must end with an error: a stream that ends without one has answered all records.
        if let Err(panic) = task.await {
            let _ = sender.send(Err(Failure::internal(panic))).await;
        }
    });
    Box::pin(ReceiverStream::new(receiver))
}

/// Applies batches until the stream of records ends, a batch fails, or the caller stops reading results.
async fn send_results(
    mut batches: RecordBatches,
    provisioner: Provisioner,
    sender: mpsc::Sender<Result<pb::ApplyDirectoryResponse, Failure>>,
) {
    let mut dry_run_account = None;
    loop {
        let outcome = match batches.next_batch().await {
            Ok(batch) if batch.is_empty() => return,
            Ok(batch) => {
                provisioner
                    .apply_batch_with_retry(&batch, &mut dry_run_account)
                    .await
            }
            Err(failure) => Err(failure),
        };
        let results = match outcome {
            Ok(results) => results,
            Err(failure) => {
                let _ = sender.send(Err(failure)).await;
                return;
            }
        };
        for result in results {
            // The caller has closed the stream: batches that have not begun are not applied.
            if sender.send(Ok(result)).await.is_err() {
                return;
            }
        }
    }
}
