//! How fast a list is taken over into the directory, and with how much memory, beside COPY of the rows that it writes
//! there (DIR-050).

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use cosell::directory;
use cosell_testkit::harness::service;
use cosell_tests::RECOVERY;
use cosell_types::Clock;
use sqlx::postgres::PgPoolCopyExt as _;
use sqlx::{AssertSqlSafe, Executor as _, PgPool};
use tokio::time::Instant;
use tonic::Status;

use crate::{Bench, report};

/// Members of each account of the list.
const EACH: usize = 1000;

/// Takes a tenth of the list over, then all of it.
pub async fn run(bench: &Bench, members: usize) -> anyhow::Result<()> {
    let (first, rest) = (members / 10, members - members / 10);
    apply(bench, 0, first).await?;
    let (server, client) = peaks(bench)?;
    report::say(&format!(
        "after {first} members the most memory held was {server} MiB by the services, {client} MiB by the client"
    ));
    let rate = apply(bench, first, rest).await?;
    let (server, client) = peaks(bench)?;
    report::say(&format!(
        "after {members} members it was {server} MiB by the services, {client} MiB by the client"
    ));
    let started = Instant::now();
    bench.world.settled_within(RECOVERY * 6).await;
    report::say(&format!(
        "every service knew all of them {:.0} s after the last was answered",
        started.elapsed().as_secs_f64()
    ));
    copy(bench, rate).await
}

fn peaks(bench: &Bench) -> anyhow::Result<(u64, u64)> {
    Ok((
        report::peak_memory(Some(bench.services.id()))?,
        report::peak_memory(None)?,
    ))
}

/// Takes members over from a file; returns how many a second.
async fn apply(bench: &Bench, after: usize, members: usize) -> anyhow::Result<f64> {
    let file = bench.world.folder().join("members.jsonl");
    write(&file, after, members)?;
    let issuer = cosell::issuer(&bench.world.state(), Clock::system())?;
    let token = issuer.token(&service("provisioner"))?;
    let mut tell = |line: i64, refusal: Status| report::say(&format!("line {line}: {}", refusal.message()));
    let started = Instant::now();
    let (records, unread) = directory::lines(BufReader::new(File::open(&file)?), false)?;
    let summary = directory::apply(bench.services.channel(), &token, records, &mut tell).await?;
    let took = started.elapsed().as_secs_f64();
    ensure!(
        unread.lock().is_ok_and(|lines| lines.is_empty()),
        "lines were not read"
    );
    ensure!(summary.refused == 0, "{summary:?}");
    let rate = members as f64 / took;
    report::say(&format!(
        "{members} members provisioned in {took:.1} s: {rate:.0} a second"
    ));
    Ok(rate)
}

/// A list of accounts with their members.
fn write(path: &Path, after: usize, members: usize) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for number in after..after + members {
        let account = format!("7{:011}", number / EACH);
        let mut line = String::new();
        if number.is_multiple_of(EACH) || number == after {
            writeln!(
                line,
                r#"{{"account": {{"accountId": "{account}", "side": "SIDE_PARTNER", "legalName": "Company {account} Ltd", "displayName": "Company {account}", "partnerTypes": ["PARTNER_TYPE_ISV"], "termsAccepted": true}}}}"#
            )?;
        }
        let role = if number.is_multiple_of(EACH) {
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

/// What COPY is fed with: a table, and the rows as they were when they were written. Those of the outbox are gone by now,
/// as every event has been published; each had one.
const MEMBERS: (&str, &str) = ("member", "SELECT * FROM partner.member");
const EVENTS: [(&str, &str); 2] = [
    ("event_journal", "SELECT * FROM partner.event_journal"),
    (
        "outbox_pending",
        "SELECT seq, occurred_at, shard, aggregate_id, 0, false FROM partner.event_journal",
    ),
];

/// The same rows by COPY, into empty tables with the same indexes.
async fn copy(bench: &Bench, rate: f64) -> anyhow::Result<()> {
    let admin = PgPool::connect(&bench.world.postgres.admin_url("postgres")).await?;
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
        // Accounts have events too, so there are more of them than members.
        let members = rows.first().copied().unwrap_or_default();
        ensure!(
            members > 0 && rows.iter().skip(1).all(|events| *events > members),
            "copied {rows:?} rows"
        );
        let copied = members as f64 / took;
        let mut line = String::new();
        write!(
            line,
            "COPY of {what}: {copied:.0} members a second, {:.1} times as many",
            copied / rate
        )
        .context("a line")?;
        report::say(&line);
    }
    Ok(())
}
