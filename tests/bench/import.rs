//! How fast files of opportunities are taken in, and with how much memory (OPP-080 to OPP-084).

use anyhow::{Context as _, ensure};
use cosell::bulk::Member;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::google::longrunning::GetOperationRequest;
use cosell_tests::deals;
use tokio::time::Instant;

use crate::{Bench, report};

const WHO: &str = "alder-ace-user";
/// Rows of a file as large as is taken by default.
const USUAL: usize = 1500;

/// Takes a usual file in as drafts, another to be submitted, and a large one.
pub async fn run(bench: &Bench, rows: usize) -> anyhow::Result<()> {
    // What is read for the first time is not what is to be measured.
    take_in(bench, 50, "warm ", pb::ImportMode::CreateAndSubmit).await?;
    take_in(bench, USUAL, "draft ", pb::ImportMode::Create).await?;
    take_in(bench, USUAL, "submitted ", pb::ImportMode::CreateAndSubmit).await?;
    let before = report::peak_memory(Some(bench.services.id()))?;
    take_in(bench, rows, "many ", pb::ImportMode::Create).await?;
    let after = report::peak_memory(Some(bench.services.id()))?;
    report::say(&format!(
        "the most memory held was {before} MiB by the services before that, and {after} MiB after"
    ));
    Ok(())
}

async fn take_in(bench: &Bench, rows: usize, what: &str, mode: pb::ImportMode) -> anyhow::Result<()> {
    let token = std::fs::read_to_string(bench.services.info.tokens.join(WHO))?;
    let member = Member::new(bench.services.channel(), token.trim())?;
    let file = bench.world.folder().join("deals.csv");
    let table = deals::table(rows, true)
        .replace("Company ", what)
        .replace("CRM-", what);
    std::fs::write(&file, &table)?;
    let options = pb::ImportOptions {
        format: pb::FileFormat::Csv.into(),
        mode: mode.into(),
        ..Default::default()
    };
    let started = Instant::now();
    let job = member.import(&file, options).await?;
    let (sent, name) = (started.elapsed().as_secs_f64(), job.name.clone());
    let result = member.follow(job).await?;
    ensure!(result.failed == 0, "{result:?}");
    let request = GetOperationRequest { name };
    let ended = bench
        .services
        .person(WHO)
        .operations()
        .get_operation(request)
        .await?
        .into_inner();
    let metadata: pb::BulkMetadata = ended.metadata.context("metadata")?.to_msg()?;
    let end = metadata.end_time.unwrap_or_default();
    let begin = metadata.create_time.unwrap_or_default();
    let worked = (end.seconds - begin.seconds) as f64 + f64::from(end.nanos - begin.nanos) / 1e9;
    report::say(&format!(
        "{rows} rows ({} KiB, {mode:?}): in after {sent:.2} s, worked off {worked:.2} s after the call: {:.0} a second",
        table.len() / 1024,
        rows as f64 / worked
    ));
    Ok(())
}
