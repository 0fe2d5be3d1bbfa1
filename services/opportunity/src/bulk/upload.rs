use std::fs::File;
use std::io::BufReader;
use std::time::Duration;

use cosell_grpc::{Call, Failure};
use cosell_proto::Validate as _;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::import_opportunities_request::Part;
use cosell_proto::google::longrunning::Operation;
use cosell_store::{Claim, claim_with};
use cosell_types::{ClosedList as _, FieldPath, Violation, ViolationCode, random};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tonic::Streaming;

use super::{operations, reading, visible};
use crate::api::{Api, permit};
use crate::domain::access::Action;
use crate::domain::job::{Job, Plan};
use crate::domain::values::{BulkKind, BulkState, FileFormat, ImportMode};
use crate::store::jobs;

type Pieces = Streaming<pb::ImportOpportunitiesRequest>;

/// The longest that a file may take to come.
const LONGEST: Duration = Duration::from_secs(600);
/// The longest that rows of a file may take to be written.
const STEP: Duration = Duration::from_secs(30);
/// Batches of rows that may wait to be written.
const AHEAD: usize = 4;

pub async fn handle(api: Api, call: Call<Pieces>) -> Result<Operation, Failure> {
    // Files that come are kept on disk: neither memory nor a connection to the database is held by who sends slowly.
    let Some(_place) = api.uploads.enter(&call.member()?.account) else {
        return Err(Failure::overloaded());
    };
    let (mut pieces, call) = call.about(());
    let first = match tokio::time::timeout(call.deadline.left(), pieces.message()).await {
        Ok(first) => first.map_err(|_| Failure::malformed())?.unwrap_or_default(),
        Err(_) => return Err(Failure::deadline_exceeded()),
    };
    let Some(Part::Options(options)) = first.part else {
        let text = "is required in the first message";
        return Err(invalid("options", ViolationCode::RequiredFieldMissing, text));
    };
    let wrong: Vec<_> = options
        .violations()
        .into_iter()
        .map(|wrong| wrong.under("options"))
        .collect();
    if !wrong.is_empty() {
        return Err(Failure::invalid(wrong));
    }
    let ((), call) = call.about(options);
    let received = receive(pieces, api.import.import_bytes);
    let file = match tokio::time::timeout(LONGEST, received).await {
        Ok(file) => file?,
        Err(_) => return Err(Failure::deadline_exceeded()),
    };
    take_in(&api, call, file).await
}

/// The whole file and what tells it from others, as long as it has not too many bytes.
async fn receive(mut pieces: Pieces, most: u64) -> Result<(File, Vec<u8>), Failure> {
    let file = tempfile::tempfile().map_err(Failure::internal)?;
    let mut file = tokio::fs::File::from_std(file);
    let mut left = most;
    let mut hash = Sha256::new();
    while let Some(piece) = pieces.message().await.map_err(|_| Failure::malformed())? {
        let content = match piece.part {
            Some(Part::Content(content)) => content,
            Some(Part::Options(_)) => {
                let text = "is allowed in the first message only";
                return Err(invalid("options", ViolationCode::InvalidValue, text));
            }
            None => {
                let text = "is required: exactly one of options, content";
                return Err(invalid("part", ViolationCode::RequiredFieldMissing, text));
            }
        };
        let Some(rest) = left.checked_sub(content.len() as u64) else {
            let text = format!("has more than {most} bytes");
            return Err(invalid("content", ViolationCode::ValueOutOfRange, &text));
        };
        left = rest;
        hash.update(&content);
        file.write_all(&content).await.map_err(Failure::internal)?;
    }
    file.rewind().await.map_err(Failure::internal)?;
    Ok((file.into_std().await, hash.finalize().to_vec()))
}

/// The job is there with every row of its file, or not at all.
async fn take_in(
    api: &Api,
    call: Call<pb::ImportOptions>,
    (file, hash): (File, Vec<u8>),
) -> Result<Operation, Failure> {
    let options = &call.message;
    let member = call.member()?;
    let mode = ImportMode::from_number(options.mode).unwrap_or(ImportMode::Create);
    let format = FileFormat::from_number(options.format)
        .ok_or_else(|| Failure::internal("validated, but no format"))?;
    if mode == ImportMode::CreateAndSubmit && !permit(Action::Submit)(&call.caller) {
        return Err(Failure::role_not_permitted(&call.tag.rpc));
    }
    let id = random::prefixed("bulkjob-");
    let mut tx = api.begin_for(&call, STEP).await?;
    if let Claim::Replay(done) = claim_with(&mut tx, &call, &id, &hash).await? {
        let job = visible(&mut tx, &call, &format!("operations/{done}")).await?;
        return operations::show(&mut tx, &job).await;
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
            validate_only: options.validate_only,
            ..Plan::default()
        },
        total: 0,
        processed: 0,
        failed: 0,
        create_time: api.clock.now(),
        end_time: None,
    };
    jobs::insert_job(&mut tx, &job).await?;
    let (sender, mut received) = mpsc::channel(AHEAD);
    let most = api.import.import_rows;
    // Reading blocks, and so has a thread of its own.
    let reader = tokio::task::spawn_blocking(move || {
        reading::read((format, mode), BufReader::new(file), most, sender)
    });
    while let Some(batch) = received.recv().await {
        jobs::insert_rows(&mut tx, &job, job.total + 1, &batch).await?;
        job.total += i64::try_from(batch.len()).unwrap_or_default();
    }
    job.plan.header = reader
        .await
        .map_err(Failure::internal)?
        .map_err(Failure::invalid)?;
    if job.total == 0 {
        return Err(invalid("content", ViolationCode::NotEnoughValues, "has no rows"));
    }
    jobs::update_job(&mut tx, &job, None).await?;
    let shown = operations::show(&mut tx, &job).await?;
    tx.commit().await?;
    api.job.notify_one();
    tracing::info!(job.id = job.id, rows = job.total, "a file was taken in");
    Ok(shown)
}

fn invalid(at: &str, code: ViolationCode, text: &str) -> Failure {
    let root = FieldPath::root();
    Failure::invalid(vec![Violation::new(&root.field(at), code, text)])
}
