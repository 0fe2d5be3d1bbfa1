//! Takes a master list over into the directory, record by record, and holds no more of it than what is on its way.

use std::io::BufRead;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::account_service_client::AccountServiceClient;
use futures::{Stream, StreamExt as _};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Records that may be on their way.
const AHEAD: usize = 1000;

/// What became of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Records that were new.
    pub created: u64,
    /// Records that were there and are now as stated.
    pub updated: u64,
    /// Records that were there as stated.
    pub unchanged: u64,
    /// Records that are wrong.
    pub refused: u64,
}

impl Summary {
    /// All records.
    pub fn total(&self) -> u64 {
        self.created + self.updated + self.unchanged + self.refused
    }
}

/// Applies records by a service's token; `tell` hears of each that is refused, by its number.
pub async fn apply(
    channel: Channel,
    token: &str,
    records: impl Stream<Item = pb::ApplyDirectoryRequest> + Send + 'static,
    tell: &mut (dyn FnMut(i64, Status) + Send),
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
    let mut answers = AccountServiceClient::new(channel)
        .apply_directory(request)
        .await?
        .into_inner();
    let mut summary = Summary::default();
    while let Some(answer) = answers.message().await? {
        match answer.result() {
            pb::ApplyResult::Created => summary.created += 1,
            pb::ApplyResult::Updated => summary.updated += 1,
            pb::ApplyResult::Unchanged => summary.unchanged += 1,
            pb::ApplyResult::Refused | pb::ApplyResult::Unspecified => {
                summary.refused += 1;
                let error = answer.error.unwrap_or_default();
                let status =
                    Status::with_details(error.code.into(), &error.message, error.encode_to_vec().into());
                tell(answer.number, status);
            }
        }
    }
    let sent = sent.load(Ordering::Relaxed);
    let answered = summary.created + summary.updated + summary.unchanged + summary.refused;
    ensure!(
        answered == sent,
        "{sent} records were sent, and {answered} were answered"
    );
    Ok(summary)
}

/// Lines that could not be read, by their numbers, each with what is wrong.
pub type Unread = Arc<Mutex<Vec<(i64, String)>>>;

/// The records of a text with one a line: `{"account": {…}}` or `{"member": {…}}`, each in the JSON form of Protocol
/// Buffers. Lines that are none are left out and told of in the second value, once the records have ended; so is where
/// the text could not be read any further. Ends early when nobody takes the records any more.
pub fn lines(
    text: impl BufRead + Send + 'static,
    dry_run: bool,
) -> anyhow::Result<(
    impl Stream<Item = pb::ApplyDirectoryRequest> + Send + 'static,
    Unread,
)> {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS).context("the definitions")?;
    let form = pool
        .get_message_by_name("cosell.partner.v1.ApplyDirectoryRequest")
        .context("the definition of a record")?;
    let (sender, records) = mpsc::channel(AHEAD);
    let unread = Unread::default();
    let wrong = unread.clone();
    // A thread: reading may block.
    std::thread::spawn(move || {
        let tell = |number, what: String| {
            wrong
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((number, what));
        };
        for (line, number) in text.lines().zip(1..) {
            let line = match line {
                Ok(line) => line,
                Err(error) => return tell(number, format!("{error}; nothing after it was read")),
            };
            if line.trim().is_empty() {
                continue;
            }
            let record = match read(&form, &line) {
                Ok(record) => record,
                Err(error) => {
                    tell(number, format!("{error:#}"));
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
    Ok((ReceiverStream::new(records), unread))
}

fn read(form: &MessageDescriptor, line: &str) -> anyhow::Result<pb::ApplyDirectoryRequest> {
    let mut json = serde_json::Deserializer::from_str(line);
    let message = DynamicMessage::deserialize(form.clone(), &mut json)?;
    json.end()?;
    Ok(pb::ApplyDirectoryRequest::decode(
        message.encode_to_vec().as_slice(),
    )?)
}
