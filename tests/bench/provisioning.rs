//! How fast a list is taken over into the directory, and with how much memory, beside COPY of the rows that it leaves
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
    let mut tell = |line: i64, errors: &[String]| report::say(&format!("line {line}: {errors:?}"));
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

/// The same rows by COPY, into empty tables with the same indexes.
async fn copy(bench: &Bench, rate: f64) -> anyhow::Result<()> {
    let admin = PgPool::connect(&bench.world.postgres.admin_url("postgres")).await?;
    for (what, tables) in [
        ("members", &["partner.member"][..]),
        (
            "members and their events",
            &[
                "partner.member",
                "partner.event_journal",
                "partner.outbox_pending",
            ],
        ),
    ] {
        let mut took = 0.0;
        let mut rows = 0;
        for table in tables {
            let name = table.replace("partner.", "copied_");
            let like =
                format!("DROP TABLE IF EXISTS {name}; CREATE TABLE {name} (LIKE {table} INCLUDING ALL)");
            admin.execute(AssertSqlSafe(like)).await?;
            let mut bytes = Vec::new();
            let mut out = admin
                .copy_out_raw(&format!("COPY (SELECT * FROM {table}) TO STDOUT"))
                .await?;
            while let Some(chunk) = futures::StreamExt::next(&mut out).await {
                bytes.extend_from_slice(&chunk?);
            }
            drop(out);
            let started = Instant::now();
            let mut sink = admin.copy_in_raw(&format!("COPY {name} FROM STDIN")).await?;
            sink.send(bytes.as_slice()).await?;
            let copied = sink.finish().await?;
            took += started.elapsed().as_secs_f64();
            if *table == "partner.member" {
                rows = copied;
            }
        }
        let copied = rows as f64 / took;
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
