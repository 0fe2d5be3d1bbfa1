use std::time::Duration;

use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use futures::Stream;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::visible;
use crate::api::Api;
use crate::domain::columns::{DETAILS, RESULT, is_of_result};
use crate::domain::job::Job;
use crate::domain::values::{BulkKind, FileFormat};
use crate::store::jobs::{self, Row};

/// Rows that are read and given out together.
const PAGE: i64 = 500;

/// The longest that a page may take.
const STEP: Duration = Duration::from_secs(5);

type Piece = Result<pb::DownloadImportResultResponse, Failure>;

pub async fn handle(
    api: Api,
    call: Call<pb::DownloadImportResultRequest>,
) -> Result<impl Stream<Item = Piece> + Send, Failure> {
    let mut tx = api.begin(&call).await?;
    let job = visible(&mut tx, &call, &call.message.name).await?;
    drop(tx);
    if job.kind != BulkKind::Import {
        return Err(crate::api::status::no_operation(&call.message.name));
    }
    let (pieces, received) = mpsc::channel(1);
    tokio::spawn(async move {
        // Nobody hears of a failure when nobody listens any more.
        if let Err(failure) = give_out(&api, &call, &job, &pieces).await {
            let _ = pieces.send(Err(failure)).await;
        }
    });
    Ok(ReceiverStream::new(received))
}

async fn give_out(
    api: &Api,
    call: &Call<pb::DownloadImportResultRequest>,
    job: &Job,
    pieces: &mpsc::Sender<Piece>,
) -> Result<(), Failure> {
    let mut last = 0;
    let mut content = Vec::new();
    if job.plan.format == Some(FileFormat::Csv) {
        let names = kept(job).map(|(_, name)| name.as_str());
        content = line(names.chain([RESULT, DETAILS]))?;
    }
    loop {
        let mut tx = api.begin_for(call, STEP).await?;
        let rows = jobs::rows(&mut tx, job, last, call.message.failed_only, PAGE).await?;
        drop(tx);
        let is_last = rows.is_empty();
        for row in rows {
            last = row.number;
            content.extend(write(job, row)?);
        }
        let piece = pb::DownloadImportResultResponse {
            content: std::mem::take(&mut content),
        };
        if pieces.send(Ok(piece)).await.is_err() || is_last {
            return Ok(());
        }
    }
}

/// The columns of the file, without those that an earlier import has added.
fn kept(job: &Job) -> impl Iterator<Item = (usize, &String)> {
    let names = job.plan.header.iter().enumerate();
    names.filter(|(_, name)| !is_of_result(name))
}

fn write(job: &Job, row: Row) -> Result<Vec<u8>, Failure> {
    let texts: Vec<_> = row.violations.iter().map(ToString::to_string).collect();
    let details = match row.opportunity {
        Some(id) if texts.is_empty() => id.to_string(),
        _ => texts.join("; "),
    };
    let result = row.result.unwrap_or_else(|| "NOT_PROCESSED".to_owned());
    match row.content {
        Value::Array(cells) => {
            let cell = |at: usize| cells.get(at).and_then(Value::as_str).unwrap_or_default();
            let kept = kept(job).map(|(at, _)| cell(at));
            // What was too much stays, behind what was added, for whoever corrects the row.
            let surplus = (job.plan.header.len()..cells.len()).map(cell);
            line(kept.chain([result.as_str(), details.as_str()]).chain(surplus))
        }
        Value::String(text) => {
            let mut object = match serde_json::from_str(&text) {
                Ok(object @ Value::Object(_)) => object,
                _ => serde_json::json!({ "_line": text }),
            };
            if let Value::Object(fields) = &mut object {
                fields.insert("_result".to_owned(), result.into());
                fields.insert("_details".to_owned(), details.into());
            }
            let mut text = object.to_string();
            text.push('\n');
            Ok(text.into_bytes())
        }
        _ => Err(Failure::internal("a row is neither cells nor a line")),
    }
}

/// A line of a table.
pub fn line<'a>(cells: impl Iterator<Item = &'a str>) -> Result<Vec<u8>, Failure> {
    let mut line = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    line.write_record(cells).map_err(Failure::internal)?;
    line.into_inner()
        .map_err(|error| Failure::internal(error.to_string()))
}
