//! Files of opportunities: taken in, given out; and records that go to another member.

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
use tokio::io::AsyncWriteExt as _;
use tokio_util::io::ReaderStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Bytes of a file that travel together.
const PIECE: usize = 256 * 1024;
/// How long is waited for news of a job.
const NEWS: Duration = Duration::from_secs(1);

/// Calls of a member.
#[derive(Clone, Debug)]
pub struct Member {
    channel: Channel,
    token: MetadataValue<Ascii>,
}

type Calls = InterceptedService<Channel, Member>;

impl Interceptor for Member {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.token.clone());
        Ok(request)
    }
}

impl Member {
    /// Calls over a channel with a token.
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

    /// Has a file taken in; the job that does it.
    pub async fn import(&self, file: &Path, options: pb::ImportOptions) -> anyhow::Result<Operation> {
        let opened = tokio::fs::File::open(file)
            .await
            .with_context(|| format!("reading {}", file.display()))?;
        let message = |part| pb::ImportOpportunitiesRequest { part: Some(part) };
        let first = message(Part::Options(options));
        // A file that cannot be read to its end must not be taken for a shorter one: options that come twice are refused.
        let pieces = ReaderStream::with_capacity(opened, PIECE).map(move |piece| match piece {
            Ok(piece) => message(Part::Content(piece.to_vec())),
            Err(_) => message(Part::Options(pb::ImportOptions::default())),
        });
        let all = futures::stream::iter([first]).chain(pieces);
        Ok(self.bulk().import_opportunities(all).await?.into_inner())
    }

    /// Begins to give records to another member.
    pub async fn transfer(&self, request: pb::TransferOpportunitiesRequest) -> anyhow::Result<Operation> {
        Ok(self.bulk().transfer_opportunities(request).await?.into_inner())
    }

    /// Waits for the end of a job, and shows how far it is where somebody can see it.
    pub async fn follow(&self, mut job: Operation) -> anyhow::Result<pb::BulkResult> {
        let bar = ProgressBar::new(0);
        bar.set_style(ProgressStyle::with_template(
            "{wide_bar} {pos}/{len} rows, {msg}",
        )?);
        while !job.done {
            show(&bar, &job)?;
            let request = WaitOperationRequest {
                name: job.name.clone(),
                timeout: Some(NEWS.try_into()?),
            };
            job = self.operations().wait_operation(request).await?.into_inner();
        }
        show(&bar, &job)?;
        bar.finish_and_clear();
        match job.result {
            Some(operation::Result::Response(result)) => Ok(result.to_msg()?),
            Some(operation::Result::Error(error)) => bail!("{}: {}", job.name, error.message),
            None => bail!("{} has ended without a result", job.name),
        }
    }

    /// Writes the file of an import with what each row became.
    pub async fn result(&self, name: &str, to: &Path) -> anyhow::Result<()> {
        let request = pb::DownloadImportResultRequest {
            name: name.to_owned(),
            failed_only: false,
        };
        let mut pieces = self.bulk().download_import_result(request).await?.into_inner();
        let mut file = tokio::fs::File::create(to)
            .await
            .with_context(|| to.display().to_string())?;
        while let Some(piece) = pieces.message().await? {
            file.write_all(&piece.content).await?;
        }
        Ok(file.flush().await?)
    }

    /// Writes the records of a list; how many bytes they are.
    pub async fn export(&self, request: pb::ExportOpportunitiesRequest, to: &Path) -> anyhow::Result<u64> {
        let mut pieces = self.bulk().export_opportunities(request).await?.into_inner();
        let mut file = tokio::fs::File::create(to)
            .await
            .with_context(|| to.display().to_string())?;
        let bar = ProgressBar::new_spinner();
        bar.set_style(ProgressStyle::with_template("{spinner} {binary_bytes}")?);
        while let Some(piece) = pieces.message().await? {
            file.write_all(&piece.content).await?;
            bar.inc(piece.content.len() as u64);
        }
        file.flush().await?;
        let written = bar.position();
        bar.finish_and_clear();
        Ok(written)
    }
}

fn show(bar: &ProgressBar, job: &Operation) -> anyhow::Result<()> {
    let metadata: pb::BulkMetadata = job
        .metadata
        .as_ref()
        .context("a job says how far it is")?
        .to_msg()?;
    bar.set_length(u64::try_from(metadata.total)?);
    bar.set_position(u64::try_from(metadata.processed)?);
    bar.set_message(format!("{} refused", metadata.failed));
    Ok(())
}

/// What became of the rows, as a table, with those that were refused.
pub fn table(result: &pb::BulkResult) -> String {
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
    let some = counts
        .iter()
        .filter(|(what, count)| *count > 0 || *what == "refused");
    lines.extend(some.map(|(what, count)| format!("{what:<12}{count:>7}")));
    if !result.failures.is_empty() {
        lines.push(String::new());
        lines.push("   ROW  WHAT IS WRONG".to_owned());
        lines.extend(
            result
                .failures
                .iter()
                .map(|failure| format!("{:>6}  {}", failure.row, failure.description)),
        );
    }
    let named = i64::try_from(result.failures.len()).unwrap_or(i64::MAX);
    if result.failed > named {
        lines.push(format!("        and {} more", result.failed - named));
    }
    lines.join("\n")
}

/// The form of a file, by the end of its name.
pub fn format(file: &Path) -> anyhow::Result<pb::FileFormat> {
    let end = file.extension().and_then(|end| end.to_str()).unwrap_or_default();
    let format = match end.to_lowercase().as_str() {
        "csv" => pb::FileFormat::Csv,
        "jsonl" | "ndjson" => pb::FileFormat::JsonLines,
        _ => bail!("{}: the name of a file ends with .csv or .jsonl", file.display()),
    };
    Ok(format)
}

/// The filter of a list that is stated as JSON.
pub fn filter(text: Option<&str>) -> anyhow::Result<Option<pb::OpportunityFilter>> {
    use prost::Message as _;
    let Some(text) = text else { return Ok(None) };
    let pool = prost_reflect::DescriptorPool::decode(cosell_proto::DESCRIPTORS)?;
    let form = pool
        .get_message_by_name("cosell.opportunity.v1.OpportunityFilter")
        .context("the definition of a filter")?;
    let mut json = serde_json::Deserializer::from_str(text);
    let message = prost_reflect::DynamicMessage::deserialize(form, &mut json).context("--filter")?;
    json.end().context("--filter")?;
    Ok(Some(pb::OpportunityFilter::decode(
        message.encode_to_vec().as_slice(),
    )?))
}

/// The number of a preset, such as `closing-this-month`.
pub fn preset(name: Option<&str>) -> anyhow::Result<i32> {
    let Some(name) = name else { return Ok(0) };
    let full = format!("OPPORTUNITY_PRESET_{}", name.to_uppercase().replace('-', "_"));
    let preset = pb::OpportunityPreset::from_str_name(&full);
    ensure!(preset.is_some(), "--preset: there is no {name}");
    Ok(preset.map_or(0, Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opp_084_refused_rows_are_told_with_what_is_wrong() {
        let result = pb::BulkResult {
            total: 103,
            created: 2,
            failed: 101,
            failures: vec![pb::RowFailure {
                row: 7,
                description: "Postal code: is required in DE".to_owned(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let expected = "RESULT         ROWS\ncreated           2\nrefused         101\n\n   ROW  WHAT IS WRONG\n     \
                        7  Postal code: is required in DE\n        and 100 more";
        assert_eq!(table(&result), expected);
    }

    #[test]
    fn opp_080_086_what_is_stated_is_read() {
        assert_eq!(format(Path::new("deals.CSV")).ok(), Some(pb::FileFormat::Csv));
        assert!(format(Path::new("deals.xlsx")).is_err());
        assert_eq!(preset(Some("closing-this-month")).ok(), Some(7));
        assert!(preset(Some("nothing")).is_err());
        let stages = filter(Some(r#"{"stages": ["STAGE_PROSPECT"]}"#))
            .expect("a filter")
            .expect("a filter");
        assert_eq!(stages.stages, [1]);
        assert!(filter(Some("{")).is_err());
    }
}
