use std::time::Duration;

use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_store::{begin, begin_with_timeout};
use cosell_types::json;
use futures::Stream;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Api;
use crate::bulk::{csv_header, csv_line};
use crate::domain::columns::{DETAILS, RESULT, escape_formula, is_result_column};
use crate::domain::job::Job;
use crate::domain::values::{BulkKind, FileFormat};
use crate::load::load_job;
use crate::status;
use crate::store::bulk_rows::{self, BulkRow};

/// Rows in one message of the stream.
const PAGE_SIZE: i64 = 500;

/// Timeout of each query: the stream outlives the deadline of its call.
const QUERY_TIMEOUT: Duration = Duration::from_secs(5);

type StreamItem = Result<pb::DownloadImportResultResponse, Failure>;

pub async fn handle(
    api: Api,
    call: Call<pb::DownloadImportResultRequest>,
) -> Result<impl Stream<Item = StreamItem> + Send, Failure> {
    let mut tx = begin(&api.db, &call).await?;
    let job = load_job(&mut tx, &call, &call.message.name).await?;
    drop(tx);
    if job.kind != BulkKind::Import {
        return Err(status::operation_not_found(&call.message.name));
    }
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        if let Err(failure) = send_rows(&api, &call, &job, &sender).await {
            // Fails only when the client has disconnected.
            let _ = sender.send(Err(failure)).await;
        }
    });
    Ok(ReceiverStream::new(receiver))
}

async fn send_rows(
    api: &Api,
    call: &Call<pb::DownloadImportResultRequest>,
    job: &Job,
    sender: &mpsc::Sender<StreamItem>,
) -> Result<(), Failure> {
    let mut last_row = 0;
    let mut content = Vec::new();
    if job.plan.format == Some(FileFormat::Csv) {
        let names: Vec<_> = original_columns(job)
            .map(|(_, name)| escape_formula(name))
            .collect();
        let names = names.iter().map(AsRef::as_ref);
        content = csv_header(names.chain([RESULT, DETAILS]))?;
    }
    loop {
        let mut tx = begin_with_timeout(&api.db, call, QUERY_TIMEOUT).await?;
        let rows = bulk_rows::list_rows(&mut tx, job, last_row, call.message.failed_only, PAGE_SIZE).await?;
        drop(tx);
        let is_last = rows.is_empty();
        for row in rows {
            last_row = row.number;
            content.extend(format_row(job, row)?);
        }
        let message = pb::DownloadImportResultResponse {
            content: std::mem::take(&mut content),
        };
        if sender.send(Ok(message)).await.is_err() || is_last {
            return Ok(());
        }
    }
}

/// The columns of the file, without those that an earlier import appended.
fn original_columns(job: &Job) -> impl Iterator<Item = (usize, &String)> {
    let names = job.plan.header.iter().enumerate();
    names.filter(|(_, name)| !is_result_column(name))
}

fn format_row(job: &Job, row: BulkRow) -> Result<Vec<u8>, Failure> {
    let descriptions: Vec<_> = row.violations.iter().map(ToString::to_string).collect();
    let details = match row.opportunity {
        Some(id) if descriptions.is_empty() => id.to_string(),
        _ => descriptions.join(" "),
    };
    let result = row.result.unwrap_or_else(|| "NOT_PROCESSED".to_owned());
    match row.content {
        Value::Array(cells) => {
            let texts: Vec<_> = cells
                .iter()
                .map(|cell| escape_formula(cell.as_str().unwrap_or_default()))
                .collect();
            let cell = |index: usize| texts.get(index).map(AsRef::as_ref).unwrap_or_default();
            let original = original_columns(job).map(|(index, _)| cell(index));
            // Surplus cells follow the appended columns, for the user who corrects the row.
            let surplus = (job.plan.header.len()..cells.len()).map(cell);
            csv_line(original.chain([result.as_str(), details.as_str()]).chain(surplus))
        }
        Value::String(text) => {
            // A line with a name twice stays as it is: an object would lose one of the values.
            let mut object = match json::parse(&text) {
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
        _ => Err(Failure::internal(
            "the content of the row is neither cells nor a line",
        )),
    }
}
