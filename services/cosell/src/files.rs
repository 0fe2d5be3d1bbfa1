//! Commands on many opportunities at once.

use std::path::PathBuf;

use anyhow::ensure;
use clap::{Args, ValueEnum};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::cosell::opportunity::v1::transfer_opportunities_request::Records;
use cosell_types::{Clock, random};

use crate::bulk::{self, Member};
use crate::commands::{self, Output};
use crate::installation::Installation;

/// What becomes of the rows of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Each is a new draft.
    Create,
    /// Each is a new record, which is submitted at once.
    Submit,
    /// Each changes the approved record that it names.
    Update,
}

/// `cosell import`.
#[derive(Args, Debug)]
pub struct Import {
    /// The file, `.csv` or `.jsonl`.
    #[arg(short, long)]
    file: PathBuf,
    /// What becomes of its rows.
    #[arg(long, value_enum, default_value_t = Mode::Create)]
    mode: Mode,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Where to write the file with what each row became; to be corrected and imported again.
    #[arg(long)]
    result: Option<PathBuf>,
    /// How to print the outcome.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    installation: Installation,
}

/// Which records.
#[derive(Args, Debug)]
struct List {
    /// Only those of a preset, such as `closing-this-month`.
    #[arg(long)]
    preset: Option<String>,
    /// Only those with these words.
    #[arg(long, default_value = "")]
    search: String,
    /// Only those of a filter, in JSON: `{"stages": ["STAGE_QUALIFIED"]}`.
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
    /// Who is to own the records.
    #[arg(long)]
    to: String,
    /// The records, at most 100; or a list by the options.
    #[arg(conflicts_with_all = ["preset", "search", "filter", "expected_count"])]
    ids: Vec<String>,
    #[command(flatten)]
    list: List,
    /// With a list: how many records it has, as confirmation that all of them are meant.
    #[arg(long)]
    expected_count: Option<i64>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// How to print the outcome.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    installation: Installation,
}

impl Import {
    /// Fails when a row was refused, after all others were taken.
    pub async fn run(self) -> anyhow::Result<()> {
        let member = member(&self.installation)?;
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
            format: bulk::format(&self.file)?.into(),
            mode: mode.into(),
            file_name: name.unwrap_or_default(),
            validate_only: self.dry_run,
            request_id: random::uuid(Clock::system().now()).to_string(),
        };
        let job = member.import(&self.file, options).await.map_err(explained)?;
        let name = job.name.clone();
        let result = member.follow(job).await.map_err(explained)?;
        if let Some(to) = &self.result {
            member.result(&name, to).await.map_err(explained)?;
        }
        tell(&name, &result, self.output)
    }
}

impl Export {
    /// Writes the file.
    pub async fn run(self) -> anyhow::Result<()> {
        let request = pb::ExportOpportunitiesRequest {
            format: bulk::format(&self.file)?.into(),
            filter: bulk::filter(self.list.filter.as_deref())?,
            preset: bulk::preset(self.list.preset.as_deref())?,
            search: self.list.search,
        };
        let member = member(&self.installation)?;
        let bytes = member.export(request, &self.file).await.map_err(explained)?;
        print(&format!("{bytes} bytes in {}", self.file.display()));
        Ok(())
    }
}

impl Transfer {
    /// Fails when a record stays where it was, after all others were given away.
    pub async fn run(self) -> anyhow::Result<()> {
        let member = member(&self.installation)?;
        let records = if self.ids.is_empty() {
            Records::List(pb::OpportunityList {
                filter: bulk::filter(self.list.filter.as_deref())?,
                preset: bulk::preset(self.list.preset.as_deref())?,
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
        let job = member.transfer(request).await.map_err(explained)?;
        let name = job.name.clone();
        let result = member.follow(job).await.map_err(explained)?;
        tell(&name, &result, self.output)
    }
}

fn member(installation: &Installation) -> anyhow::Result<Member> {
    let (channel, token) = installation.as_member()?;
    Member::new(channel, &token)
}

fn explained(error: anyhow::Error) -> anyhow::Error {
    let refused = error.downcast_ref().map(commands::explained);
    refused.unwrap_or(error)
}

fn tell(name: &str, result: &pb::BulkResult, output: Output) -> anyhow::Result<()> {
    match output {
        Output::Table => print(&format!("{name}\n{}", bulk::table(result))),
        Output::Json => print(&commands::json("cosell.opportunity.v1.BulkResult", result)?),
    }
    ensure!(result.failed == 0, "{} rows were refused", result.failed);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's answer")]
fn print(text: &str) {
    println!("{text}");
}
