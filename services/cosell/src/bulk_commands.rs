//! The commands `import`, `export` and `transfer`.

use std::path::PathBuf;

use anyhow::ensure;
use clap::{Args, ValueEnum};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::transfer_opportunities_request::Records;
use cosell_types::{Clock, random};

use crate::bulk::{self, BulkClient};
use crate::commands::{self, Output};
use crate::installation::Installation;
use crate::terminal::{print, printable};

/// What an import does with each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Create a draft.
    Create,
    /// Create an opportunity and submit it.
    Submit,
    /// Update the approved opportunity that the row names.
    Update,
}

/// `cosell import`.
#[derive(Args, Debug)]
pub struct Import {
    /// The file, `.csv` or `.jsonl`.
    #[arg(short, long)]
    file: PathBuf,
    /// What to do with each row.
    #[arg(long, value_enum, default_value_t = Mode::Create)]
    mode: Mode,
    /// Validate only; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Where to write the result file, which has the outcome of each row and can be corrected and imported again.
    #[arg(long)]
    result: Option<PathBuf>,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    installation: Installation,
}

/// Selects opportunities.
#[derive(Args, Debug)]
struct List {
    /// Only opportunities of a preset, such as `closing-this-month`.
    #[arg(long)]
    preset: Option<String>,
    /// Only opportunities with these search terms.
    #[arg(long, default_value = "")]
    search: String,
    /// Only opportunities of a filter, in JSON: `{"stages": ["STAGE_QUALIFIED"]}`.
    #[arg(long)]
    filter: Option<String>,
}

/// `cosell export`.
#[derive(Args, Debug)]
pub struct Export {
    /// The file to write, `.csv` or `.jsonl`.
    #[arg(short, long)]
    file: PathBuf,
    #[command(flatten)]
    list: List,
    #[command(flatten)]
    installation: Installation,
}

/// `cosell transfer`.
#[derive(Args, Debug)]
pub struct Transfer {
    /// The member id of the new owner.
    #[arg(long)]
    to: String,
    /// The opportunity ids, at most 100; without ids, the options select the opportunities.
    #[arg(conflicts_with_all = ["preset", "search", "filter", "expected_count"])]
    ids: Vec<String>,
    #[command(flatten)]
    list: List,
    /// Without ids: the number of selected opportunities, as confirmation.
    #[arg(long)]
    expected_count: Option<i64>,
    /// Validate only; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    installation: Installation,
}

impl Import {
    /// Imports all valid rows, then fails if a row was refused.
    pub async fn run(self) -> anyhow::Result<()> {
        let client = bulk_client(&self.installation)?;
        let mode = match self.mode {
            Mode::Create => pb::ImportMode::Create,
            Mode::Submit => pb::ImportMode::CreateAndSubmit,
            Mode::Update => pb::ImportMode::Update,
        };
        let name = self
            .file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let options = pb::ImportOptions {
            format: bulk::file_format(&self.file)?.into(),
            mode: mode.into(),
            file_name: name.unwrap_or_default(),
            validate_only: self.dry_run,
            request_id: random::uuid(Clock::system().now()).to_string(),
        };
        // Before anything is changed: of a result that cannot be written nobody would see what was imported.
        let result_file = self.result.as_deref().map(bulk::create_file).transpose()?;
        let job = client.import(&self.file, options).await.map_err(explain_error)?;
        let name = job.name.clone();
        let result = client.wait_for_job(job).await.map_err(explain_error)?;
        print_result(&name, &result, self.output)?;
        if let Some(file) = result_file {
            client.download_result(&name, file).await.map_err(explain_error)?;
        }
        require_no_failure(&result)
    }
}

impl Export {
    /// Exports the selected opportunities to the file.
    pub async fn run(self) -> anyhow::Result<()> {
        let request = pb::ExportOpportunitiesRequest {
            format: bulk::file_format(&self.file)?.into(),
            filter: bulk::parse_filter(self.list.filter.as_deref())?,
            preset: bulk::parse_preset(self.list.preset.as_deref())?,
            search: self.list.search,
        };
        let client = bulk_client(&self.installation)?;
        let bytes = client.export(request, &self.file).await.map_err(explain_error)?;
        print(&format!("wrote {bytes} bytes to {}", self.file.display()))
    }
}

impl Transfer {
    /// Transfers all permitted opportunities, then fails if one was refused.
    pub async fn run(self) -> anyhow::Result<()> {
        let client = bulk_client(&self.installation)?;
        let records = if self.ids.is_empty() {
            Records::List(pb::OpportunityList {
                filter: bulk::parse_filter(self.list.filter.as_deref())?,
                preset: bulk::parse_preset(self.list.preset.as_deref())?,
                search: self.list.search,
                expected_count: self.expected_count,
            })
        } else {
            Records::Ids(pb::OpportunityIds {
                opportunity_ids: self.ids,
            })
        };
        let request = pb::TransferOpportunitiesRequest {
            records: Some(records),
            owner_member_id: self.to,
            request_id: random::uuid(Clock::system().now()).to_string(),
            validate_only: self.dry_run,
        };
        let job = client.transfer(request).await.map_err(explain_error)?;
        let name = job.name.clone();
        let result = client.wait_for_job(job).await.map_err(explain_error)?;
        print_result(&name, &result, self.output)?;
        require_no_failure(&result)
    }
}

fn bulk_client(installation: &Installation) -> anyhow::Result<BulkClient> {
    let (channel, token) = installation.as_member()?;
    BulkClient::new(channel, &token)
}

fn explain_error(error: anyhow::Error) -> anyhow::Error {
    let explained = error.downcast_ref().map(commands::explain_status);
    explained.unwrap_or(error)
}

fn print_result(name: &str, result: &pb::BulkResult, output: Output) -> anyhow::Result<()> {
    match output {
        Output::Table => print(&format!("{name}\n{}", printable(&bulk::result_table(result))))?,
        Output::Json => print(&commands::json("cosell.opportunity.v1.BulkResult", result)?)?,
    }
    Ok(())
}

fn require_no_failure(result: &pb::BulkResult) -> anyhow::Result<()> {
    ensure!(result.failed == 0, "{} rows were refused", result.failed);
    Ok(())
}
