//! Row-level security, seen from the database: what a linter and a prover say of the policies. What each side really
//! sees and does is tried out in `rights.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

use cosell_testkit::harness::python_packages;
use cosell_tests::World;
use cosell_tests::repository::contexts;
use serde_json::Value;
use sqlx::Executor as _;

use crate::wider::WIDER;

/// Policies that hold beside all others.
const NARROWER: [&str; 1] = ["opportunity.opportunity_flag.own_members"];

/// Policies of an account's own rows that are for one command alone.
const OF_COMMAND: [(&str, &str); 8] = [
    ("collaboration.channel.partner", "SELECT"),
    ("collaboration.channel_member.partner", "SELECT"),
    ("collaboration.engagement_member.partner", "SELECT"),
    ("collaboration.snapshot_job.partner", "SELECT"),
    ("referral.lead.partner", "SELECT"),
    ("referral.lead.partner_works", "UPDATE"),
    ("referral.offer.partner", "SELECT"),
    ("referral.offer.partner_answers", "UPDATE"),
];

/// What else the linter finds and is meant to be, with why. That a policy of `WIDER` names no column is meant as well.
const MEANT: [(&str, &str, &str); 18] = [
    ("SEC001", "*._sqlx_migrations", "names no account"),
    ("SEC001", "*.outbox_pending", "names no account"),
    ("SEC001", "*.relay_lease", "names no account"),
    ("SEC001", "opportunity.product", "names no account"),
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
    ("PERF003", "referral.lead.services_read", "it is read by id"),
    (
        "PERF003",
        "collaboration.engagement.aws_reads",
        "an index over all that are not limited serves it",
    ),
    (
        "PERF003",
        "collaboration.invitation.aws_reads",
        "an index over all that are not limited serves it",
    ),
    (
        "PERF003",
        "collaboration.snapshot.aws_reads",
        "the engagement leads an index",
    ),
    (
        "PERF003",
        "collaboration.invitation.due",
        "an index over those that wait serves it",
    ),
    (
        "PERF003",
        "collaboration.snapshot.partner",
        "account and engagement lead the indexes",
    ),
    (
        "PERF003",
        "referral.offer.partner",
        "the account leads the indexes",
    ),
    (
        "PERF003",
        "referral.offer.partner_answers",
        "the account leads the indexes",
    ),
    ("PERF003", "referral.offer.services_read", "it is read by id"),
    (
        "PERF003",
        "partner.profile.public_profiles",
        "an index over public profiles serves it",
    ),
];

/// Names with every service for `*`.
pub fn of_services(name: &str) -> Vec<String> {
    match name.strip_prefix('*') {
        Some(rest) => contexts()
            .iter()
            .map(|service| format!("{service}{rest}"))
            .collect(),
        None => vec![name.to_owned()],
    }
}

fn wider() -> BTreeSet<String> {
    WIDER.iter().flat_map(|policy| of_services(policy.name)).collect()
}

/// The settings of the linter and the prover. Partitions have no policies because they are reached through their table
/// only.
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
    // Whoever states nothing does so as one of these roles. Without this the prover takes a policy for one of them as
    // out of reach of such a session, whatever it lets in.
    let roles: Vec<_> = contexts()
        .iter()
        .flat_map(|service| ["app", "worker", "owner"].map(|role| format!("{service}_{role}")))
        .chain(["PUBLIC".to_owned()])
        .collect();
    write!(text, "[lint.rules.SEC004]\nanon_roles = {roles:?}\n").expect("text");
    text
}

/// What the linter or the prover answers, as JSON.
fn pgrls(world: &World, arguments: &[&str]) -> Value {
    let mut command = Command::new("python3");
    command
        .args(["-m", "pgrls"])
        .args(arguments)
        .arg("--config")
        .arg(world.folder().join(SETTINGS))
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

const SETTINGS: &str = "pgrls.toml";

/// Policies that look into another table, about which the prover says neither yes nor no. What they let through, also
/// for a session that states nothing, is tried out in `rights.rs`.
const BEYOND: [&str; 2] = [
    "collaboration.engagement.partner",
    "collaboration.snapshot.partner",
];

/// Policies of which the prover cannot say that they keep accounts apart.
fn unproven(world: &World, mode: &str) -> BTreeSet<String> {
    let verdicts = verdicts(world, mode);
    verdicts.into_iter().map(|(name, _)| name).collect()
}

/// What the prover says of policies other than that they keep accounts apart.
fn verdicts(world: &World, mode: &str) -> BTreeSet<(String, String)> {
    let answer = pgrls(world, &["verify", "--mode", mode]);
    let tables = answer["tables"].as_array().expect("tables");
    assert!(tables.len() > 40, "{answer:#}");
    let mut found = BTreeSet::new();
    for table in tables {
        let name = table["table"].as_str().expect("a name");
        for policy in table["policies"].as_array().expect("policies") {
            let verdict = policy["verdict"].as_str().expect("a verdict");
            if verdict != "isolated" {
                let policy = policy["policy"].as_str().expect("a name");
                found.insert((format!("{name}.{policy}"), verdict.to_owned()));
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
    std::fs::write(world.folder().join(SETTINGS), settings(partitions)).expect("the settings");

    let lint = pgrls(&world, &["lint", "--min-severity", "warning"]);
    assert_eq!(lint["violations"], Value::Array(Vec::new()), "{lint:#}");

    let beyond = BEYOND.map(|name| (name.to_owned(), "unverified".to_owned()));
    let beyond = BTreeSet::from(beyond);
    assert_eq!(
        verdicts(&world, "anon"),
        beyond,
        "policies that let in who states nothing"
    );
    // Every other policy is proven, for reading and for writing.
    let wider = wider();
    let (reading, writing) = (unproven(&world, "cross-tenant"), unproven(&world, "write"));
    let both: BTreeSet<_> = reading.union(&writing).cloned().collect();
    assert_eq!(both, wider, "policies that are not about one account alone");
    is_for_what_the_table_says(&world).await;

    // What all this is worth: the prover does see a policy that lets in everybody who has the role.
    let everybody = "CREATE POLICY everybody ON partner.account FOR SELECT TO partner_app USING (true)";
    world.admin().await.execute(everybody).await.expect("a policy");
    let mut seen = beyond;
    seen.insert(("partner.account.everybody".to_owned(), "leak".to_owned()));
    assert_eq!(verdicts(&world, "anon"), seen, "a policy for everybody");
}

/// The role and the command of every policy: those of `WIDER` have the ones that it says, and every other is the
/// service's for its calls and events.
async fn is_for_what_the_table_says(world: &World) {
    let sql = "SELECT format('%s.%s.%s', schemaname, tablename, policyname),
                 format('%s %s to %s', permissive, cmd, array_to_string(roles, ' '))
               FROM pg_policies WHERE schemaname = ANY ($1)";
    let found: Vec<(String, String)> = sqlx::query_as(sql)
        .bind(contexts())
        .fetch_all(&mut world.admin().await)
        .await
        .expect("policies");
    let mut expected = BTreeMap::new();
    for policy in &WIDER {
        for name in of_services(policy.name) {
            let service = name.split('.').next().unwrap_or_default();
            let what = format!("PERMISSIVE {} to {service}_{}", policy.command, policy.role);
            expected.insert(name, what);
        }
    }
    let mut wrong = Vec::new();
    for (name, what) in &found {
        let service = name.split('.').next().unwrap_or_default();
        let how = if NARROWER.contains(&name.as_str()) {
            "RESTRICTIVE"
        } else {
            "PERMISSIVE"
        };
        let own = OF_COMMAND.iter().find(|(of, _)| of == name);
        let command = own.map_or("ALL", |(_, command)| command);
        let own = format!("{how} {command} to {service}_app");
        let expected = expected.remove(name).unwrap_or(own);
        if *what != expected {
            wrong.push(format!("{name} is {what}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(expected.is_empty(), "not there: {expected:?}");
    assert!(found.len() > 60, "only {} policies", found.len());
}
