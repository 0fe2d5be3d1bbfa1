//! Provisions the directory from a list: streams its records to `ApplyDirectory` with a bounded buffer.

use std::io::BufRead;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use cosell_grpc::MAX_REQUEST;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::account_service_client::AccountServiceClient;
use cosell_types::{json, text_file};
use futures::{Stream, StreamExt as _};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::descriptors::POOL;

/// The number of records that are read ahead of the stream.
const BUFFERED_RECORDS: usize = 1000;

/// The number of records by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// New records.
    pub created: u64,
    /// Existing records that were changed.
    pub updated: u64,
    /// Existing records without a difference.
    pub unchanged: u64,
    /// Invalid records, and records that violate a rule.
    pub refused: u64,
}

impl Summary {
    /// The number of all records.
    pub fn total(&self) -> u64 {
        self.created + self.updated + self.unchanged + self.refused
    }
}

/// Applies records with a service's token. Calls `on_refusal` with the number and status of each refused record.
pub async fn apply(
    channel: Channel,
    token: &str,
    records: impl Stream<Item = pb::ApplyDirectoryRequest> + Send + 'static,
    on_refusal: &mut (dyn FnMut(i64, Status) + Send),
) -> anyhow::Result<Summary> {
    let sent = Arc::new(AtomicU64::new(0));
    let count = sent.clone();
    let records = records.inspect(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let mut request = Request::new(records);
    request
        .metadata_mut()
        .insert("authorization", format!("Bearer {token}").parse()?);
    let mut responses = AccountServiceClient::new(channel)
        .apply_directory(request)
        .await?
        .into_inner();
    let mut summary = Summary::default();
    while let Some(response) = responses.message().await? {
        match response.result() {
            pb::ApplyResult::Created => summary.created += 1,
            pb::ApplyResult::Updated => summary.updated += 1,
            pb::ApplyResult::Unchanged => summary.unchanged += 1,
            pb::ApplyResult::Refused | pb::ApplyResult::Unspecified => {
                summary.refused += 1;
                let error = response.error.unwrap_or_default();
                let status =
                    Status::with_details(error.code.into(), &error.message, error.encode_to_vec().into());
                on_refusal(response.number, status);
            }
        }
    }
    let sent = sent.load(Ordering::Relaxed);
    let answered = summary.created + summary.updated + summary.unchanged + summary.refused;
    ensure!(
        answered == sent,
        "{sent} records were sent, but {answered} were answered"
    );
    Ok(summary)
}

/// Lines that could not be parsed: number and error.
pub type InvalidLines = Arc<Mutex<Vec<(i64, String)>>>;

/// Parses a list with one record a line: `{"account": {…}}` or `{"member": {…}}`, in the canonical JSON form of
/// Protocol Buffers. Skips invalid lines and returns them in the second value, which is complete once the stream has
/// ended; a read error ends the stream and is in there too. Stops reading when the stream is dropped.
pub fn read_lines(
    text: impl BufRead + Send + 'static,
    dry_run: bool,
) -> anyhow::Result<(
    impl Stream<Item = pb::ApplyDirectoryRequest> + Send + 'static,
    InvalidLines,
)> {
    let descriptor = POOL
        .get_message_by_name("cosell.partner.v1.ApplyDirectoryRequest")
        .context("the descriptor of a record")?;
    let (sender, records) = mpsc::channel(BUFFERED_RECORDS);
    let invalid_lines = InvalidLines::default();
    let errors = invalid_lines.clone();
    // A thread, because reading may block.
    std::thread::spawn(move || {
        let add_error = |number, error: String| {
            errors
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((number, error));
        };
        for (number, line) in text_file::read_lines(text, MAX_REQUEST) {
            let number = number.cast_signed();
            let line = match line {
                Ok(line) => line,
                Err(error) => {
                    return add_error(number, format!("{error}; the following lines were not read"));
                }
            };
            let record = match parse(&descriptor, &line) {
                Ok(record) => record,
                Err(error) => {
                    add_error(number, format!("{error:#}"));
                    continue;
                }
            };
            let record = pb::ApplyDirectoryRequest {
                number,
                validate_only: dry_run,
                ..record
            };
            if sender.blocking_send(record).is_err() {
                return;
            }
        }
    });
    Ok((ReceiverStream::new(records), invalid_lines))
}

fn parse(descriptor: &MessageDescriptor, line: &str) -> anyhow::Result<pb::ApplyDirectoryRequest> {
    let message = DynamicMessage::deserialize(descriptor.clone(), json::parse(line)?)?;
    Ok(pb::ApplyDirectoryRequest::decode(
        message.encode_to_vec().as_slice(),
    )?)
}
