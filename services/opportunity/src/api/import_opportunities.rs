use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use cosell_grpc::{Call, Failure, KeyedLimit, Permit};
use cosell_proto::Validate as _;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::import_opportunities_request::Part;
use cosell_proto::google::longrunning::Operation;
use cosell_store::{Claim, begin_with_timeout, claim_with_attachment};
use cosell_types::{AccountId, ClosedList as _, Violation, ViolationCode, random};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

use super::{Api, permit};
use crate::bulk::{import_file, operation, violation_at};
use crate::domain::access::Action;
use crate::domain::job::{Job, Plan};
use crate::domain::values::{BulkKind, BulkState, FileFormat, ImportMode};
use crate::load::load_job;
use crate::store::{bulk_jobs, bulk_rows};

type Upload = Streaming<pb::ImportOpportunitiesRequest>;

/// Concurrent uploads of all accounts, and of one account.
const MAX_UPLOADS: usize = 8;
const MAX_UPLOADS_PER_ACCOUNT: usize = 2;
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(600);
/// Timeout of each statement that inserts rows.
const INSERT_TIMEOUT: Duration = Duration::from_secs(30);
/// Batches of rows that are read ahead of the database.
const READ_AHEAD: usize = 4;

/// Concurrent transactions that insert the rows of a file, of all accounts. They last long, and must not use all
/// connections. An account has one at a time.
const MAX_INSERTS: usize = 2;

/// The limits of imports, by account.
pub struct ImportPermits {
    /// Uploads that are received or read.
    uploads: KeyedLimit<AccountId>,
    inserts: KeyedLimit<AccountId>,
}

impl Default for ImportPermits {
    fn default() -> Self {
        Self {
            uploads: KeyedLimit::new(MAX_UPLOADS, MAX_UPLOADS_PER_ACCOUNT),
            inserts: KeyedLimit::new(MAX_INSERTS, 1),
        }
    }
}

pub async fn handle(api: Api, call: Call<Upload>) -> Result<Operation, Failure> {
    // The upload is spooled to disk: a slow client holds neither memory nor a connection to the database.
    let Some(upload_permit) = api.import_permits.uploads.acquire(&call.member()?.account, 1) else {
        return Err(Failure::overloaded());
    };
    let (mut upload, call) = call.replace_message(());
    let first = match tokio::time::timeout(call.deadline.left(), upload.message()).await {
        Ok(first) => first.map_err(|_| Failure::malformed())?.unwrap_or_default(),
        Err(_) => return Err(Failure::deadline_exceeded()),
    };
    let Some(Part::Options(options)) = first.part else {
        let text = "Is required in the first message.";
        return Err(invalid("options", ViolationCode::RequiredFieldMissing, text));
    };
    let violations: Vec<_> = options
        .violations()
        .into_iter()
        .map(|violation| violation.with_parent("options"))
        .collect();
    if !violations.is_empty() {
        return Err(Failure::invalid(violations));
    }
    let ((), call) = call.replace_message(options);
    let received = receive_file(upload, api.import_limits.import_bytes);
    let file = match tokio::time::timeout(UPLOAD_TIMEOUT, received).await {
        Ok(file) => file?,
        Err(_) => return Err(Failure::deadline_exceeded()),
    };
    create_job(&api, call, file, Arc::new(upload_permit)).await
}

/// Receives the whole file, up to `limit` bytes; returns it with its SHA-256 hash.
async fn receive_file(mut upload: Upload, limit: u64) -> Result<(File, Vec<u8>), Failure> {
    let file = tempfile::tempfile().map_err(Failure::internal)?;
    let mut file = tokio::fs::File::from_std(file);
    let mut bytes_left = limit;
    let mut hash = Sha256::new();
    while let Some(message) = upload.message().await.map_err(|_| Failure::malformed())? {
        let content = match message.part {
            Some(Part::Content(content)) => content,
            Some(Part::Options(_)) => {
                let text = "Is allowed in the first message only.";
                return Err(invalid("options", ViolationCode::InvalidValue, text));
            }
            None => {
                let text = "Is required: exactly one of options, content.";
                return Err(invalid("part", ViolationCode::RequiredFieldMissing, text));
            }
        };
        let Some(rest) = bytes_left.checked_sub(content.len() as u64) else {
            let text = format!("Can have at most {limit} bytes.");
            return Err(invalid("content", ViolationCode::ValueOutOfRange, &text));
        };
        bytes_left = rest;
        hash.update(&content);
        file.write_all(&content).await.map_err(Failure::internal)?;
    }
    file.rewind().await.map_err(Failure::internal)?;
    Ok((file.into_std().await, hash.finalize().to_vec()))
}

/// Creates the job together with every row of its file, or not at all.
async fn create_job(
    api: &Api,
    call: Call<pb::ImportOptions>,
    (file, hash): (File, Vec<u8>),
    upload_permit: Arc<Permit<AccountId>>,
) -> Result<Operation, Failure> {
    let options = &call.message;
    let member = call.member()?;
    let mode = ImportMode::from_number(options.mode).unwrap_or(ImportMode::Create);
    let format = FileFormat::from_number(options.format)
        .ok_or_else(|| Failure::internal("the validated request has no format"))?;
    if mode == ImportMode::CreateAndSubmit && !permit(Action::Submit)(&call.caller) {
        return Err(Failure::role_not_permitted(&call.tag.rpc));
    }
    let form = (format, mode);
    let max_rows = api.import_limits.import_rows;
    // Once without a transaction, so that an invalid file holds no connection.
    let read_on = |_| ControlFlow::Continue(());
    let (checked, file) = read_file(form, max_rows, file, upload_permit.clone(), read_on).await?;
    let header = checked.map_err(Failure::invalid)?;
    let id = random::prefixed("bulkjob-");
    let _insert_permit = api
        .import_permits
        .inserts
        .acquire_when_free(&member.account, 1)
        .await;
    let mut tx = begin_with_timeout(&api.db, &call, INSERT_TIMEOUT).await?;
    if let Claim::Replay(created) = claim_with_attachment(&mut tx, &call, &id, &hash).await? {
        let job = load_job(&mut tx, &call, &format!("operations/{created}")).await?;
        return operation::from_job(&mut tx, &job).await;
    }
    let mut job = Job {
        id,
        account: member.account.clone(),
        kind: BulkKind::Import,
        state: BulkState::Running,
        member: member.id.clone(),
        request_id: call.tag.request_id.to_string(),
        plan: Plan {
            format: Some(format),
            mode: Some(mode),
            file_name: options.file_name.clone().into(),
            header,
            validate_only: options.validate_only,
            ..Plan::default()
        },
        total: 0,
        processed: 0,
        failed: 0,
        create_time: api.clock.now(),
        end_time: None,
    };
    bulk_jobs::insert_job(&mut tx, &job).await?;
    let (sender, mut batches) = mpsc::channel(READ_AHEAD);
    let send = move |batch| match sender.blocking_send(batch) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    };
    let reader = tokio::spawn(read_file(form, max_rows, file, upload_permit, send));
    while let Some(batch) = batches.recv().await {
        bulk_rows::insert_rows(&mut tx, &job, job.total + 1, &batch).await?;
        job.total += i64::try_from(batch.len()).unwrap_or_default();
    }
    let (read, _) = reader.await.map_err(Failure::internal)??;
    read.map_err(Failure::invalid)?;
    if job.total == 0 {
        return Err(invalid(
            "content",
            ViolationCode::NotEnoughValues,
            "Must have at least one row.",
        ));
    }
    bulk_jobs::update_job(&mut tx, &job, None).await?;
    let operation = operation::from_job(&mut tx, &job).await?;
    tx.commit().await?;
    api.job_created.notify_one();
    tracing::info!(job.id = job.id, rows = job.total, "import created");
    Ok(operation)
}

/// Reads a file on a thread for blocking work, and returns it rewound. Stops soon after the call has been canceled; the
/// permit of the upload is held until the thread has ended.
async fn read_file(
    form: (FileFormat, ImportMode),
    max_rows: u32,
    mut file: File,
    upload_permit: Arc<Permit<AccountId>>,
    mut sink: impl FnMut(Vec<Value>) -> ControlFlow<()> + Send + 'static,
) -> Result<(Result<Vec<String>, Vec<Violation>>, File), Failure> {
    let canceled = CancellationToken::new();
    let _guard = canceled.clone().drop_guard();
    let read = tokio::task::spawn_blocking(move || {
        let _permit = upload_permit;
        let content = Cancelable {
            file: &file,
            canceled,
        };
        let header = import_file::read_rows(form, content, max_rows, &mut sink);
        file.rewind().map(|()| (header, file))
    });
    read.await.map_err(Failure::internal)?.map_err(Failure::internal)
}

/// A file that cannot be read any more once its call has been canceled.
struct Cancelable<'a> {
    file: &'a File,
    canceled: CancellationToken,
}

impl Read for Cancelable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.canceled.is_cancelled() {
            return Err(io::Error::other("the call was canceled"));
        }
        self.file.read(buffer)
    }
}

fn invalid(path: &str, code: ViolationCode, text: &str) -> Failure {
    Failure::invalid(vec![violation_at(path, code, text)])
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use cosell_testkit::harness::PATIENCE;

    use super::*;

    /// More than what is read ahead of the parser, all in one batch that is never full.
    const LINES: usize = 100_000;

    #[tokio::test]
    async fn plt_015_canceled_upload_ends_and_keeps_its_place_until_then() {
        let limit = KeyedLimit::new(1, 1);
        let account: AccountId = "111111111111".parse().expect("an account");
        let permit = Arc::new(limit.acquire(&account, 1).expect("a permit"));
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&b"{}\n".repeat(LINES)).expect("content");
        file.rewind().expect("a file");
        let (started, mut has_started) = mpsc::channel(1);
        let (go_on, is_going_on) = std::sync::mpsc::channel::<()>();
        let rows = Arc::new(AtomicUsize::new(0));
        let read = rows.clone();
        let sink = move |batch: Vec<Value>| {
            read.fetch_add(batch.len(), Ordering::Relaxed);
            let _ = started.try_send(());
            let _ = is_going_on.recv();
            ControlFlow::Continue(())
        };
        let form = (FileFormat::JsonLines, ImportMode::Create);
        let reading = read_file(form, u32::MAX, file, permit, sink);
        tokio::select! {
            _ = reading => panic!("the reader ended while its sink waited"),
            _ = has_started.recv() => {}
        }
        // The call has been canceled, the reader still waits.
        assert!(
            limit.acquire(&account, 1).is_none(),
            "the place is free too early"
        );
        drop(go_on);
        let freed = async {
            while limit.acquire(&account, 1).is_none() {
                tokio::task::yield_now().await;
            }
        };
        let freed = tokio::time::timeout(PATIENCE, freed).await;
        assert!(freed.is_ok(), "the place was not freed");
        let rows = rows.load(Ordering::Relaxed);
        assert!(
            rows < LINES,
            "all {rows} rows were read after the call had been canceled"
        );
    }

    #[test]
    fn plt_015_account_inserts_one_import_at_a_time() {
        let permits = ImportPermits::default();
        let [alder, birch] = ["111111111111", "222222222222"].map(|id| id.parse().expect("an account"));
        let uploads = [(); MAX_UPLOADS_PER_ACCOUNT].map(|()| permits.uploads.acquire(&alder, 1));
        assert!(uploads.iter().all(Option::is_some));
        assert!(permits.uploads.acquire(&alder, 1).is_none());
        let insert = permits.inserts.acquire(&alder, 1);
        assert!(insert.is_some() && permits.inserts.acquire(&alder, 1).is_none());
        assert!(permits.inserts.acquire(&birch, 1).is_some(), "another account");
    }
}
