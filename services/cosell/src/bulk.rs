//! Client of the bulk RPCs: imports and exports files of opportunities, and transfers ownership.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::bulk_service_client::BulkServiceClient;
use cosell_proto::cosell::opportunity::v1::import_opportunities_request::Part;
use cosell_proto::google::longrunning::operations_client::OperationsClient;
use cosell_proto::google::longrunning::{Operation, WaitOperationRequest, operation};
use futures::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio_util::io::ReaderStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Bytes of a file in one message.
const CHUNK_BYTES: usize = 256 * 1024;
/// How long one call waits for the end of a job.
const POLL_TIMEOUT: Duration = Duration::from_secs(1);

/// Calls the bulk RPCs with a member's token.
#[derive(Clone, Debug)]
pub struct BulkClient {
    channel: Channel,
    token: MetadataValue<Ascii>,
}

type Calls = InterceptedService<Channel, BulkClient>;

impl Interceptor for BulkClient {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.token.clone());
        Ok(request)
    }
}

impl BulkClient {
    /// Calls over `channel` with a member's token.
    pub fn new(channel: Channel, token: &str) -> anyhow::Result<Self> {
        let token = format!("Bearer {token}").parse()?;
        Ok(Self { channel, token })
    }

    fn bulk(&self) -> BulkServiceClient<Calls> {
        BulkServiceClient::with_interceptor(self.channel.clone(), self.clone())
    }

    fn operations(&self) -> OperationsClient<Calls> {
        OperationsClient::with_interceptor(self.channel.clone(), self.clone())
    }

    /// Uploads a file and returns the job that imports it.
    pub async fn import(&self, file: &Path, options: pb::ImportOptions) -> anyhow::Result<Operation> {
        let opened = File::open(file)
            .await
            .with_context(|| format!("reading {}", file.display()))?;
        let message = |part| pb::ImportOpportunitiesRequest { part: Some(part) };
        let first = message(Part::Options(options));
        // After a read error, the service must not import a truncated file: it refuses a second options message.
        let chunks = ReaderStream::with_capacity(opened, CHUNK_BYTES).map(move |chunk| match chunk {
            Ok(chunk) => message(Part::Content(chunk.to_vec())),
            Err(_) => message(Part::Options(pb::ImportOptions::default())),
        });
        let messages = futures::stream::iter([first]).chain(chunks);
        Ok(self.bulk().import_opportunities(messages).await?.into_inner())
    }

    /// Starts a job that transfers opportunities to another member.
    pub async fn transfer(&self, request: pb::TransferOpportunitiesRequest) -> anyhow::Result<Operation> {
        Ok(self.bulk().transfer_opportunities(request).await?.into_inner())
    }

    /// Waits for the end of a job and returns its result. Shows a progress bar on a terminal.
    pub async fn wait_for_job(&self, mut job: Operation) -> anyhow::Result<pb::BulkResult> {
        let bar = ProgressBar::new(0);
        bar.set_style(ProgressStyle::with_template(
            "{wide_bar} {pos}/{len} rows, {msg}",
        )?);
        while !job.done {
            show_progress(&bar, &job)?;
            let request = WaitOperationRequest {
                name: job.name.clone(),
                timeout: Some(POLL_TIMEOUT.try_into()?),
            };
            job = self.operations().wait_operation(request).await?.into_inner();
        }
        show_progress(&bar, &job)?;
        bar.finish_and_clear();
        match job.result {
            Some(operation::Result::Response(result)) => Ok(result.to_msg()?),
            Some(operation::Result::Error(error)) => bail!("{}: {}", job.name, error.message),
            None => bail!("{} ended without a result", job.name),
        }
    }

    /// Downloads the result file of an import, which has the outcome of each row.
    pub async fn download_result(&self, name: &str, mut file: File) -> anyhow::Result<()> {
        let request = pb::DownloadImportResultRequest {
            name: name.to_owned(),
            failed_only: false,
        };
        let mut chunks = self.bulk().download_import_result(request).await?.into_inner();
        while let Some(chunk) = chunks.message().await? {
            file.write_all(&chunk.content).await?;
        }
        Ok(file.flush().await?)
    }

    /// Exports opportunities to a file and returns the number of bytes.
    pub async fn export(&self, request: pb::ExportOpportunitiesRequest, to: &Path) -> anyhow::Result<u64> {
        let mut chunks = self.bulk().export_opportunities(request).await?.into_inner();
        let mut file = create_file(to)?;
        let bar = ProgressBar::new_spinner();
        bar.set_style(ProgressStyle::with_template("{spinner} {binary_bytes}")?);
        while let Some(chunk) = chunks.message().await? {
            file.write_all(&chunk.content).await?;
            bar.inc(chunk.content.len() as u64);
        }
        file.flush().await?;
        let written = bar.position();
        bar.finish_and_clear();
        Ok(written)
    }
}

fn show_progress(bar: &ProgressBar, job: &Operation) -> anyhow::Result<()> {
    let metadata: pb::BulkMetadata = job
        .metadata
        .as_ref()
        .context("the job has no metadata")?
        .to_msg()?;
    bar.set_length(u64::try_from(metadata.total)?);
    bar.set_position(u64::try_from(metadata.processed)?);
    bar.set_message(format!("{} refused", metadata.failed));
    Ok(())
}

/// Creates a file, or empties it.
pub fn create_file(path: &Path) -> anyhow::Result<File> {
    let file = std::fs::File::create(path).with_context(|| path.display().to_string())?;
    Ok(File::from_std(file))
}

/// The result of a job as a table: counts by outcome, and the error of each refused row.
pub fn result_table(result: &pb::BulkResult) -> String {
    let counts = [
        ("created", result.created),
        ("submitted", result.submitted),
        ("updated", result.updated),
        ("assigned", result.assigned),
        ("unchanged", result.unchanged),
        ("valid", result.valid),
        ("refused", result.failed),
    ];
    let mut lines = vec!["RESULT         ROWS".to_owned()];
    let shown = counts
        .iter()
        .filter(|(outcome, count)| *count > 0 || *outcome == "refused");
    lines.extend(shown.map(|(outcome, count)| format!("{outcome:<12}{count:>7}")));
    if !result.failures.is_empty() {
        lines.push(String::new());
        lines.push("   ROW  ERROR".to_owned());
        lines.extend(
            result
                .failures
                .iter()
                .map(|failure| format!("{:>6}  {}", failure.row, failure.description)),
        );
    }
    let listed = i64::try_from(result.failures.len()).unwrap_or(i64::MAX);
    if result.failed > listed {
        lines.push(format!("        and {} more", result.failed - listed));
    }
    lines.join("\n")
}

/// The format of a file, by its extension.
pub fn file_format(file: &Path) -> anyhow::Result<pb::FileFormat> {
    let extension = file
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    let format = match extension.to_lowercase().as_str() {
        "csv" => pb::FileFormat::Csv,
        "jsonl" | "ndjson" => pb::FileFormat::JsonLines,
        _ => bail!("{}: the file extension must be .csv or .jsonl", file.display()),
    };
    Ok(format)
}

/// Parses the JSON of the option `--filter`.
pub fn parse_filter(text: Option<&str>) -> anyhow::Result<Option<pb::OpportunityFilter>> {
    use prost::Message as _;
    let Some(text) = text else { return Ok(None) };
    let descriptor = crate::descriptors::POOL
        .get_message_by_name("cosell.opportunity.v1.OpportunityFilter")
        .context("the descriptor of a filter")?;
    let json = cosell_types::json::parse(text).context("--filter")?;
    let message = prost_reflect::DynamicMessage::deserialize(descriptor, json).context("--filter")?;
    Ok(Some(pb::OpportunityFilter::decode(
        message.encode_to_vec().as_slice(),
    )?))
}

/// The enum value of a preset, such as `closing-this-month`; unspecified for `None`.
pub fn parse_preset(name: Option<&str>) -> anyhow::Result<i32> {
    let Some(name) = name else { return Ok(0) };
    let full = format!("OPPORTUNITY_PRESET_{}", name.to_uppercase().replace('-', "_"));
    let preset = pb::OpportunityPreset::from_str_name(&full);
    ensure!(preset.is_some(), "--preset: unknown preset {name}");
    Ok(preset.map_or(0, Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opp_084_result_table_lists_refused_rows_with_errors() {
        let result = pb::BulkResult {
            total: 103,
            created: 2,
            failed: 101,
            failures: vec![pb::RowFailure {
                row: 7,
                description: "Postal code: Is required in DE.".to_owned(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let expected = "RESULT         ROWS\ncreated           2\nrefused         101\n\n   ROW  ERROR\n     \
                        7  Postal code: Is required in DE.\n        and 100 more";
        assert_eq!(result_table(&result), expected);
    }

    #[test]
    fn opp_080_086_options_are_parsed() {
        assert_eq!(
            file_format(Path::new("opportunities.CSV")).ok(),
            Some(pb::FileFormat::Csv)
        );
        assert!(file_format(Path::new("opportunities.xlsx")).is_err());
        assert_eq!(parse_preset(Some("closing-this-month")).ok(), Some(7));
        assert!(parse_preset(Some("nothing")).is_err());
        let stages = parse_filter(Some(r#"{"stages": ["STAGE_PROSPECT"]}"#))
            .expect("a filter")
            .expect("a filter");
        assert_eq!(stages.stages, [1]);
        assert!(parse_filter(Some("{")).is_err());
    }
}
