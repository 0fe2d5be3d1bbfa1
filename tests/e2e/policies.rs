//! Row-level security, seen from the database: what a prover says of the policies, and what each side really sees.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use cosell_testkit::harness::python_packages;
use cosell_tests::World;
use cosell_tests::isolation::{Scene, tables};
use cosell_tests::repository::contexts;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// What a policy lets a role do with rows of other accounts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum With {
    /// Calls and events read them.
    Reads,
    /// Calls and events add some, and see none.
    Adds,
    /// Calls read, add and delete what their own account's members have made, and see none of others.
    Makes,
    /// The worker only.
    Works,
}
use With::{Adds, Makes, Reads, Works};

/// Policies that are wider than the equality of the row's account and the transaction's, and the sides that they are
/// for. Nothing can be proven of them; what they let through is held against this table. `*` stands for every service.
const WIDER: [(&str, With, &str); 27] = [
    ("*.aggregate_cursor.all_accounts", Works, "work"),
    ("*.dead_letter.all_accounts", Works, "work"),
    ("*.denial.all_accounts", Works, "work"),
    ("*.denial.forgets", Works, "work"),
    ("*.denial.writes", Works, "work"),
    ("*.event_journal.all_accounts", Works, "work"),
    ("*.event_journal.aws_appends", Adds, "aws"),
    ("*.inbox.all_accounts", Works, "work"),
    ("*.request.all_accounts", Works, "work"),
    ("notification.contact.events_find_anyone", Reads, "system"),
    (
        "notification.directory_account.events_find_anyone",
        Reads,
        "system",
    ),
    (
        "notification.directory_member.events_find_anyone",
        Reads,
        "system",
    ),
    ("notification.mail.all_accounts", Works, "work"),
    ("notification.mail.events_tell_anyone", Adds, "system"),
    ("notification.notification.events_tell_anyone", Adds, "system"),
    ("notification.preference.events_ask_anyone", Reads, "system"),
    ("opportunity.opportunity.aws_reads", Reads, "aws"),
    ("opportunity.opportunity_flag.aws_flags", Makes, "aws"),
    (
        "opportunity.opportunity_revision.aws_and_services_read",
        Reads,
        "aws service",
    ),
    ("opportunity.opportunity_word.aws_reads", Reads, "aws"),
    ("partner.account.aws_reads", Reads, "aws"),
    ("partner.connection_invitation.all_accounts", Works, "work"),
    // Public ones; they are there to be found.
    (
        "partner.profile.public_profiles",
        Reads,
        "partner aws service system work -",
    ),
    ("review.review_case.aws", Reads, "aws"),
    ("review.review_case.services_read", Reads, "service"),
    ("review.submission.aws", Reads, "aws"),
    ("review.submission.services_read", Reads, "service"),
];

/// What else the linter finds and is meant to be, with why. That a policy of `WIDER` names no column is meant as well.
const MEANT: [(&str, &str, &str); 8] = [
    ("SEC001", "*._sqlx_migrations", "names no account"),
    ("SEC001", "*.outbox_pending", "names no account"),
    ("SEC001", "*.relay_lease", "names no account"),
    (
        "SEC035",
        "partner.profile",
        "its ids are random bits that nobody chooses",
    ),
    (
        "PERF003",
        "opportunity.opportunity.aws_reads",
        "an index over all that are no drafts serves it",
    ),
    (
        "PERF003",
        "opportunity.opportunity_revision.aws_and_services_read",
        "it is read by id",
    ),
    (
        "PERF003",
        "opportunity.opportunity_word.aws_reads",
        "an index over all that are shown serves it",
    ),
    (
        "PERF003",
        "partner.profile.public_profiles",
        "an index over public profiles serves it",
    ),
];

/// Names with every service for `*`.
fn of_services(name: &str) -> Vec<String> {
    match name.strip_prefix('*') {
        Some(rest) => contexts()
            .iter()
            .map(|service| format!("{service}{rest}"))
            .collect(),
        None => vec![name.to_owned()],
    }
}

fn wider() -> BTreeSet<String> {
    WIDER.iter().flat_map(|(name, ..)| of_services(name)).collect()
}

/// The linter's settings. Partitions have no policies because they are reached through their table only.
fn settings(partitions: Vec<String>) -> String {
    let mut allowed: Vec<(&str, String)> = Vec::new();
    for (rule, name, _) in MEANT {
        allowed.extend(of_services(name).into_iter().map(|name| (rule, name)));
    }
    allowed.extend(wider().into_iter().map(|name| ("SEC005", name)));
    allowed.extend(partitions.into_iter().map(|name| ("SEC009", name)));
    let mut text = String::from("[lint]\nfail_on = \"warning\"\n");
    for rule in ["SEC001", "SEC005", "SEC009", "SEC035", "PERF003"] {
        let names: Vec<_> = allowed
            .iter()
            .filter(|(of, _)| *of == rule)
            .map(|(_, name)| name)
            .collect();
        write!(text, "[lint.rules.{rule}]\nallowlist = {names:?}\n").expect("text");
    }
    text
}

/// What the prover answers, as JSON.
fn prover(world: &World, arguments: &[&str]) -> Value {
    let mut command = Command::new("python3");
    command
        .args(["-m", "pgrls"])
        .args(arguments)
        .args(["--schemas", &contexts().join(","), "--format", "json"])
        .args(["--database-url", &world.postgres.admin_url("postgres")])
        .env("PYTHONPATH", python_packages());
    let output = command.output().expect("the prover");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "{error}: {} {}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// Policies of which the prover cannot say that they keep accounts apart.
fn unproven(world: &World, mode: &str) -> BTreeSet<String> {
    let answer = prover(world, &["verify", "--mode", mode]);
    let tables = answer["tables"].as_array().expect("tables");
    assert!(tables.len() > 40, "{answer:#}");
    let mut found = BTreeSet::new();
    for table in tables {
        let name = table["table"].as_str().expect("a name");
        for policy in table["policies"].as_array().expect("policies") {
            let verdict = policy["verdict"].as_str().expect("a verdict");
            assert_ne!(verdict, "leak", "{mode}: {name}: {policy:#}");
            if verdict != "isolated" {
                found.insert(format!("{name}.{}", policy["policy"].as_str().expect("a name")));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_020_a_prover_finds_no_way_from_one_account_to_another() {
    let world = World::start();
    world.run().await.stop().await;
    let partitions = sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relispartition AND c.relkind = 'r'",
    );
    let partitions = partitions
        .fetch_all(&mut world.admin().await)
        .await
        .expect("partitions");
    let file = world.folder().join("pgrls.toml");
    std::fs::write(&file, settings(partitions)).expect("the settings");

    let lint = prover(
        &world,
        &[
            "lint",
            "--config",
            &file.to_string_lossy(),
            "--min-severity",
            "warning",
        ],
    );
    assert_eq!(lint["violations"], Value::Array(Vec::new()), "{lint:#}");

    let none = BTreeSet::new();
    assert_eq!(
        unproven(&world, "anon"),
        none,
        "policies that let in who states nothing"
    );
    // Every other policy is proven, for reading and for writing.
    let wider = wider();
    let (reading, writing) = (unproven(&world, "cross-tenant"), unproven(&world, "write"));
    let both: BTreeSet<_> = reading.union(&writing).cloned().collect();
    assert_eq!(both, wider, "policies that are not about one account alone");
}

/// Rows of other accounts that are seen with a scope, in the tables of a service.
async fn foreign(connection: &mut PgConnection, side: &str, table: &str) -> Option<i64> {
    let mut tx = connection.begin().await.expect("a transaction");
    sqlx::query("SELECT set_config('app.account', $1, true), set_config('app.side', $2, true)")
        .bind(cosell::BIRCH)
        .bind(side)
        .execute(&mut *tx)
        .await
        .expect("a scope");
    let sql = format!(
        "SELECT count(*) FROM {table} WHERE account_id <> '{}'",
        cosell::BIRCH
    );
    // No right to read at all is as good.
    sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(&mut *tx)
        .await
        .ok()
}

/// Whether a side is meant to see rows of other accounts.
fn is_meant(table: &str, side: &str) -> bool {
    WIDER.iter().any(|(policy, with, sides)| {
        let of_table = |name: &String| name.rsplit_once('.').is_some_and(|(of, _)| of == table);
        *with == Reads && sides.split(' ').any(|of| of == side) && of_services(policy).iter().any(of_table)
    })
}

/// What the service's role sees of others, for every side, is what `WIDER` says and nothing else; and in no table for
/// want of rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acc_020_every_table_shows_each_side_what_it_is_for() {
    let world = World::start();
    let running = world.run().await;
    Scene::new(&world, running.channel(), &running.info)
        .records()
        .await;
    let mut admin = world.admin().await;
    let (mut wrong, mut read) = (Vec::new(), 0);
    for table in tables(&mut admin).await {
        let (service, name) = table.split_once('.').expect("a schema");
        if name == "dead_letter" {
            // Nothing went wrong here, but something might.
            let letter = format!(
                "INSERT INTO {table} (account_id, consumer, event_id, aggregate_id, aggregate_version, type, subject,
                   headers, payload, error_class, error, attempts)
                 VALUES ('{}', 'x', gen_random_uuid(), 'x', 1, 'x', 'x', '{{}}', '', 'bug', 'x', 1)",
                cosell::ALDER
            );
            admin.execute(AssertSqlSafe(letter)).await.expect("a dead letter");
        }
        let others = format!(
            "SELECT count(*) FROM {table} WHERE account_id <> '{}'",
            cosell::BIRCH
        );
        let others: i64 = sqlx::query_scalar(AssertSqlSafe(others))
            .fetch_one(&mut admin)
            .await
            .expect("a count");
        let options = world.role(&format!("{service}_app"));
        let mut app = PgConnection::connect_with(&options).await.expect("a connection");
        for side in ["partner", "aws", "service", "system", "work", "-"] {
            let Some(seen) = foreign(&mut app, side, &table).await else {
                continue;
            };
            read += 1;
            if (seen > 0) != is_meant(&table, side) {
                wrong.push(format!("{table} shows {seen} rows of others to {side}"));
            }
            // Partner consumes nothing.
            if others == 0 && !["partner.inbox", "partner.aggregate_cursor"].contains(&table.as_str()) {
                wrong.push(format!("{table} has no rows of others to show"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(read > 150, "only {read} tables and sides were looked at");
    running.stop().await;
}
