//! Measures the rate and memory use of provisioning the directory, compared with COPY of the same rows (DIR-050).

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use cosell::directory;
use cosell_testkit::harness::service;
use cosell_tests::{Installation, RECOVERY, report};
use cosell_types::Clock;
use sqlx::postgres::PgPoolCopyExt as _;
use sqlx::{AssertSqlSafe, Executor as _, PgPool};
use tokio::time::Instant;
use tonic::Status;

const MEMBERS_PER_ACCOUNT: usize = 1000;

/// Provisions a tenth of the members, then the rest.
pub async fn run(bench: &Installation, members: usize) -> anyhow::Result<()> {
    let (first, rest) = (members / 10, members - members / 10);
    apply(bench, 0, first).await?;
    let (server, client) = peak_memory(bench)?;
    report::print_line(&format!(
        "peak memory after {first} members: {server} MiB services, {client} MiB client"
    ));
    let rate = apply(bench, first, rest).await?;
    let (server, client) = peak_memory(bench)?;
    report::print_line(&format!(
        "peak memory after {members} members: {server} MiB services, {client} MiB client"
    ));
    let started = Instant::now();
    bench.servers.wait_until_idle_within(RECOVERY * 6).await;
    report::print_line(&format!(
        "all services have applied all members {:.0} s after the last response",
        started.elapsed().as_secs_f64()
    ));
    copy(bench, rate).await
}

fn peak_memory(bench: &Installation) -> anyhow::Result<(u64, u64)> {
    Ok((
        report::peak_memory(Some(bench.services.id()))?,
        report::peak_memory(None)?,
    ))
}

/// Provisions members from a file and returns the members per second.
async fn apply(bench: &Installation, after: usize, members: usize) -> anyhow::Result<f64> {
    let file = bench.servers.folder().join("members.jsonl");
    write_list(&file, after, members)?;
    let issuer = cosell::issuer(&bench.servers.state(), Clock::system())?;
    let token = issuer.token(&service("provisioner"))?;
    let mut on_refusal =
        |line: i64, refusal: Status| report::print_line(&format!("line {line}: {}", refusal.message()));
    let started = Instant::now();
    let (records, invalid_lines) = directory::read_lines(BufReader::new(File::open(&file)?), false)?;
    let summary = directory::apply(bench.services.channel(), &token, records, &mut on_refusal).await?;
    let took = started.elapsed().as_secs_f64();
    ensure!(
        invalid_lines.lock().is_ok_and(|lines| lines.is_empty()),
        "the file has invalid lines"
    );
    ensure!(summary.refused == 0, "{summary:?}");
    let rate = members as f64 / took;
    report::print_line(&format!(
        "{members} members provisioned in {took:.1} s: {rate:.0} per second"
    ));
    Ok(rate)
}

/// Writes a list of accounts with their members.
fn write_list(path: &Path, after: usize, members: usize) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for number in after..after + members {
        let account = format!("7{:011}", number / MEMBERS_PER_ACCOUNT);
        let mut line = String::new();
        if number.is_multiple_of(MEMBERS_PER_ACCOUNT) || number == after {
            writeln!(
                line,
                r#"{{"account": {{"accountId": "{account}", "side": "SIDE_PARTNER", "legalName": "Company {account} Ltd", "displayName": "Company {account}", "partnerTypes": ["PARTNER_TYPE_ISV"], "termsAccepted": true}}}}"#
            )?;
        }
        let role = if number.is_multiple_of(MEMBERS_PER_ACCOUNT) {
            "ALLIANCE_LEAD"
        } else {
            "ACE_USER"
        };
        writeln!(
            line,
            r#"{{"member": {{"accountId": "{account}", "memberId": "person-{number}", "roles": ["ROLE_{role}"], "person": {{"firstName": "Some", "lastName": "Body", "email": "person-{number}@{account}.example", "title": "Seller", "phone": "+4930123456"}}}}}}"#
        )?;
        file.write_all(line.as_bytes())?;
    }
    Ok(file.flush()?)
}

/// The tables for COPY, with a query for the rows as provisioning wrote them. The rows of the outbox, one for each
/// event, are deleted by now, because all events have been published.
const MEMBERS: (&str, &str) = ("member", "SELECT * FROM partner.member");
const EVENTS: [(&str, &str); 2] = [
    ("event_journal", "SELECT * FROM partner.event_journal"),
    (
        "outbox_pending",
        "SELECT seq, occurred_at, shard, aggregate_id, 0, false FROM partner.event_journal",
    ),
];

/// Measures COPY of the same rows into empty tables with the same indexes.
async fn copy(bench: &Installation, rate: f64) -> anyhow::Result<()> {
    let admin = PgPool::connect(&bench.servers.postgres.admin_url("postgres")).await?;
    for (what, tables) in [
        ("members", vec![MEMBERS]),
        ("members and their events", vec![MEMBERS, EVENTS[0], EVENTS[1]]),
    ] {
        let mut took = 0.0;
        let mut rows = Vec::new();
        for (table, select) in tables {
            let name = format!("copied_{table}");
            let like = format!(
                "DROP TABLE IF EXISTS {name}; CREATE TABLE {name} (LIKE partner.{table} INCLUDING ALL)"
            );
            admin.execute(AssertSqlSafe(like)).await?;
            let mut bytes = Vec::new();
            let mut out = admin.copy_out_raw(&format!("COPY ({select}) TO STDOUT")).await?;
            while let Some(chunk) = futures::StreamExt::next(&mut out).await {
                bytes.extend_from_slice(&chunk?);
            }
            drop(out);
            let started = Instant::now();
            let mut sink = admin.copy_in_raw(&format!("COPY {name} FROM STDIN")).await?;
            sink.send(bytes.as_slice()).await?;
            rows.push(sink.finish().await?);
            took += started.elapsed().as_secs_f64();
        }
        // Accounts have events too, so there are more events than members.
        let members = rows.first().copied().unwrap_or_default();
        ensure!(
            members > 0 && rows.iter().skip(1).all(|events| *events > members),
            "copied {rows:?} rows"
        );
        let copied = members as f64 / took;
        let mut line = String::new();
        write!(
            line,
            "COPY of {what}: {copied:.0} members per second, {:.1} times the rate of provisioning",
            copied / rate
        )
        .context("a line")?;
        report::print_line(&line);
    }
    Ok(())
}
