use std::io;
use std::time::Duration;

use bytes::Bytes;
use cosell_grpc::{Call, Failure};
use cosell_proto::Validate as _;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::google::longrunning::Operation;
use cosell_store::{Claim, claim};
use cosell_types::{ClosedList as _, FieldPath, Violation, ViolationCode, random};
use futures::{Stream, StreamExt as _};
use tokio::sync::mpsc;
use tokio_util::io::{StreamReader, SyncIoBridge};
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
/// Batches of rows that may wait to be written.
const AHEAD: usize = 4;

pub async fn handle(api: Api, call: Call<Pieces>) -> Result<Operation, Failure> {
    let (mut pieces, call) = call.about(());
    let first = pieces
        .message()
        .await
        .map_err(|_| Failure::malformed())?
        .unwrap_or_default();
    let Some(options) = first.options else {
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
    match tokio::time::timeout(LONGEST, take_in(&api, call, first.content, pieces)).await {
        Ok(answer) => answer,
        Err(_) => Err(Failure::deadline_exceeded()),
    }
}

/// The job is there with every row of its file, or not at all.
async fn take_in(
    api: &Api,
    call: Call<pb::ImportOptions>,
    first: Vec<u8>,
    pieces: Pieces,
) -> Result<Operation, Failure> {
    let options = &call.message;
    let member = call.member()?;
    let mode = ImportMode::from_number(options.mode).unwrap_or(ImportMode::Create);
    let format = FileFormat::from_number(options.format)
        .ok_or_else(|| Failure::internal("validated, but no format"))?;
    if mode == ImportMode::CreateAndSubmit && !permit(Action::Submit)(&call.caller) {
        return Err(Failure::role_not_permitted(&call.tag.rpc));
    }
    let id = random::prefixed("job-");
    let mut tx = api.begin_for(&call, LONGEST).await?;
    if let Claim::Replay(done) = claim(&mut tx, &call, &id).await? {
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
        done: 0,
        failed: 0,
        create_time: api.clock.now(),
        end_time: None,
    };
    jobs::insert_job(&mut tx, &job).await?;
    let (sender, mut received) = mpsc::channel(AHEAD);
    let file = StreamReader::new(Box::pin(contents(first, pieces, api.bulk.bytes)));
    let most = api.bulk.rows;
    // Reading blocks, and so has a thread of its own.
    let reader = tokio::task::spawn_blocking(move || {
        reading::read((format, mode), SyncIoBridge::new(file), most, sender)
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

/// The bytes of a file, as long as they are not too many.
fn contents(first: Vec<u8>, pieces: Pieces, most: u64) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let rest = pieces.map(|piece| match piece {
        Ok(piece) if piece.options.is_some() => Err(io::Error::other("the options come once")),
        Ok(piece) => Ok(Bytes::from(piece.content)),
        Err(status) => Err(io::Error::other(status.code().description())),
    });
    let mut left = most;
    futures::stream::once(async move { Ok(Bytes::from(first)) })
        .chain(rest)
        .map(move |piece| {
            let piece = piece?;
            left = left.checked_sub(piece.len() as u64).ok_or_else(|| {
                io::Error::new(io::ErrorKind::FileTooLarge, format!("has more than {most} bytes"))
            })?;
            Ok(piece)
        })
}

fn invalid(at: &str, code: ViolationCode, text: &str) -> Failure {
    let root = FieldPath::root();
    Failure::invalid(vec![Violation::new(&root.field(at), code, text)])
}
