//! Measures the rate and memory use of imports (OPP-080 to OPP-084).

use anyhow::{Context as _, ensure};
use cosell::bulk::BulkClient;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_proto::google::longrunning::GetOperationRequest;
use cosell_tests::{Installation, import_files, report};
use tokio::time::Instant;

const MEMBER: &str = "alder-ace-user";
/// The default limit of rows of a file.
const DEFAULT_ROWS: usize = 1500;

/// Imports a file of default size as drafts, another one with submission, and a large one.
pub async fn run(bench: &Installation, rows: usize) -> anyhow::Result<()> {
    // A small import first, to warm up caches.
    import(bench, 50, "warm ", pb::ImportMode::CreateAndSubmit).await?;
    import(bench, DEFAULT_ROWS, "draft ", pb::ImportMode::Create).await?;
    import(bench, DEFAULT_ROWS, "submitted ", pb::ImportMode::CreateAndSubmit).await?;
    let before = report::peak_memory(Some(bench.services.id()))?;
    import(bench, rows, "many ", pb::ImportMode::Create).await?;
    let after = report::peak_memory(Some(bench.services.id()))?;
    report::print_line(&format!(
        "peak memory of the services: {before} MiB before the large import, {after} MiB after it"
    ));
    Ok(())
}

async fn import(bench: &Installation, rows: usize, prefix: &str, mode: pb::ImportMode) -> anyhow::Result<()> {
    let token = std::fs::read_to_string(bench.services.info.tokens.join(MEMBER))?;
    let client = BulkClient::new(bench.services.channel(), token.trim())?;
    let file = bench.servers.folder().join("opportunities.csv");
    let table = import_files::csv(rows, true)
        .replace("Company ", prefix)
        .replace("CRM-", prefix);
    std::fs::write(&file, &table)?;
    let options = pb::ImportOptions {
        format: pb::FileFormat::Csv.into(),
        mode: mode.into(),
        ..Default::default()
    };
    let started = Instant::now();
    let job = client.import(&file, options).await?;
    let (uploaded, name) = (started.elapsed().as_secs_f64(), job.name.clone());
    let result = client.wait_for_job(job).await?;
    ensure!(result.failed == 0, "{result:?}");
    let request = GetOperationRequest { name };
    let ended = bench
        .services
        .member(MEMBER)
        .operations()
        .get_operation(request)
        .await?
        .into_inner();
    let metadata: pb::BulkMetadata = ended.metadata.context("metadata")?.to_msg()?;
    let end = metadata.end_time.unwrap_or_default();
    let begin = metadata.create_time.unwrap_or_default();
    let processed = (end.seconds - begin.seconds) as f64 + f64::from(end.nanos - begin.nanos) / 1e9;
    report::print_line(&format!(
        "{rows} rows ({} KiB, {mode:?}): uploaded in {uploaded:.2} s, processed {processed:.2} s after the call: \
         {:.0} per second",
        table.len() / 1024,
        rows as f64 / processed
    ));
    Ok(())
}
