//! Static checks of the row-level security policies with pgrls, a linter and prover. `row_level_security.rs` executes
//! statements as every role and side.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

use cosell_testkit::harness::python_packages;
use cosell_tests::TestServers;
use cosell_tests::repository::contexts;
use serde_json::Value;
use sqlx::Executor as _;

use crate::cross_account_policies::CROSS_ACCOUNT_POLICIES;

/// Restrictive policies, which apply in addition to all others.
const RESTRICTIVE_POLICIES: [&str; 1] = ["opportunity.opportunity_flag.own_members"];

/// Policies for an account's own rows that apply to one command only.
const SINGLE_COMMAND_POLICIES: [(&str, &str); 8] = [
    ("collaboration.channel.partner", "SELECT"),
    ("collaboration.channel_member.partner", "SELECT"),
    ("collaboration.engagement_member.partner", "SELECT"),
    ("collaboration.snapshot_job.partner", "SELECT"),
    ("referral.lead.partner", "SELECT"),
    ("referral.lead.partner_works", "UPDATE"),
    ("referral.offer.partner", "SELECT"),
    ("referral.offer.partner_answers", "UPDATE"),
];

/// Allowed findings of the linter: rule, name and reason. SEC005 (the policy names no column) is allowed for all of
/// [`CROSS_ACCOUNT_POLICIES`].
const ALLOWED_FINDINGS: [(&str, &str, &str); 23] = [
    ("SEC001", "*._sqlx_migrations", "has no account column"),
    ("SEC001", "*.outbox_pending", "has no account column"),
    ("SEC001", "*.relay_lease", "has no account column"),
    ("SEC001", "opportunity.product", "has no account column"),
    (
        "SEC035",
        "partner.profile",
        "its ids are random and not chosen by callers",
    ),
    (
        "PERF003",
        "opportunity.opportunity.aws_reads",
        "a partial index over all non-drafts covers it",
    ),
    (
        "PERF003",
        "opportunity.opportunity_revision.aws_and_services_read",
        "it is read by primary key",
    ),
    (
        "PERF003",
        "opportunity.opportunity_word.aws_reads",
        "a partial index over all rows that AWS may read covers it",
    ),
    (
        "PERF003",
        "referral.lead.services_read",
        "it is read by primary key",
    ),
    (
        "PERF003",
        "collaboration.engagement.aws_reads",
        "a partial index over all rows that are not limited covers it",
    ),
    (
        "PERF003",
        "collaboration.invitation.aws_reads",
        "a partial index over all rows that are not limited covers it",
    ),
    (
        "PERF003",
        "collaboration.snapshot.aws_reads",
        "an index starts with the engagement",
    ),
    (
        "PERF003",
        "collaboration.invitation.due",
        "a partial index over pending rows covers it",
    ),
    (
        "PERF003",
        "collaboration.snapshot.partner",
        "its indexes start with account and engagement",
    ),
    (
        "PERF003",
        "referral.offer.partner",
        "its indexes start with the account",
    ),
    (
        "PERF003",
        "referral.offer.partner_answers",
        "its indexes start with the account",
    ),
    (
        "PERF003",
        "referral.offer.services_read",
        "it is read by primary key",
    ),
    (
        "PERF003",
        "partner.profile.public_profiles",
        "a partial index over public profiles covers it",
    ),
    (
        "PERF003",
        "opportunity.opportunity.unkeyed",
        "a partial index over rows without keys covers it",
    ),
    (
        "PERF003",
        "partner.profile.unkeyed",
        "a partial index over rows without keys covers it",
    ),
    (
        "SEC013",
        "opportunity.opportunity.partner_identifier_key_changed",
        "its function runs as the invoking role, beneath its policies",
    ),
    (
        "SEC013",
        "opportunity.opportunity.partner_identifier_key_deleted",
        "its function runs as the invoking role, beneath its policies",
    ),
    (
        "SEC013",
        "opportunity.opportunity.delete_search_terms",
        "its function runs as the invoking role, beneath its policies",
    ),
];

/// Replaces a leading `*` by the name of each service.
pub fn expand_services(name: &str) -> Vec<String> {
    match name.strip_prefix('*') {
        Some(rest) => contexts()
            .iter()
            .map(|service| format!("{service}{rest}"))
            .collect(),
        None => vec![name.to_owned()],
    }
}

fn cross_account_names() -> BTreeSet<String> {
    CROSS_ACCOUNT_POLICIES
        .iter()
        .flat_map(|policy| expand_services(policy.name))
        .collect()
}

/// The settings of pgrls. Partitions have no policies, because they are accessed through their parent table only.
fn settings(partitions: Vec<String>) -> String {
    let mut allowed: Vec<(&str, String)> = Vec::new();
    for (rule, name, _) in ALLOWED_FINDINGS {
        allowed.extend(expand_services(name).into_iter().map(|name| (rule, name)));
    }
    allowed.extend(cross_account_names().into_iter().map(|name| ("SEC005", name)));
    allowed.extend(partitions.into_iter().map(|name| ("SEC009", name)));
    let mut text = String::from("[lint]\nfail_on = \"warning\"\n");
    for rule in ["SEC001", "SEC005", "SEC009", "SEC013", "SEC035", "PERF003"] {
        let names: Vec<_> = allowed
            .iter()
            .filter(|(of, _)| *of == rule)
            .map(|(_, name)| name)
            .collect();
        write!(text, "[lint.rules.{rule}]\nallowlist = {names:?}\n").expect("text");
    }
    // A session without account and side has one of these roles. Without this setting, the prover assumes that such a
    // session cannot use a policy of these roles.
    let roles: Vec<_> = contexts()
        .iter()
        .flat_map(|service| ["app", "consumer", "worker", "owner"].map(|role| format!("{service}_{role}")))
        .chain(["PUBLIC".to_owned()])
        .collect();
    write!(text, "[lint.rules.SEC004]\nanon_roles = {roles:?}\n").expect("text");
    text
}

/// Runs pgrls and returns its JSON output.
fn pgrls(servers: &TestServers, arguments: &[&str]) -> Value {
    let mut command = Command::new("python3");
    command
        .args(["-m", "pgrls"])
        .args(arguments)
        .arg("--config")
        .arg(servers.folder().join(SETTINGS))
        .args(["--schemas", &contexts().join(","), "--format", "json"])
        .args(["--database-url", &servers.postgres.admin_url("postgres")])
        .env("PYTHONPATH", python_packages());
    let output = command.output().expect("pgrls");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "{error}: {} {}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

const SETTINGS: &str = "pgrls.toml";

/// Policies with a subquery on another table, which the prover cannot verify. `row_level_security.rs` tests what they
/// permit, also for a session without account and side.
const UNVERIFIED_POLICIES: [&str; 2] = [
    "collaboration.engagement.partner",
    "collaboration.snapshot.partner",
];

/// Policies that the prover does not classify as isolated.
fn unproven(servers: &TestServers, mode: &str) -> BTreeSet<String> {
    let verdicts = verdicts(servers, mode);
    verdicts.into_iter().map(|(name, _)| name).collect()
}

/// The prover's verdicts other than `isolated`, by policy.
fn verdicts(servers: &TestServers, mode: &str) -> BTreeSet<(String, String)> {
    let answer = pgrls(servers, &["verify", "--mode", mode]);
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
async fn acc_020_policies_are_proven_to_isolate_accounts() {
    let servers = TestServers::start();
    servers.run().await.stop().await;
    let partitions = sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relispartition AND c.relkind = 'r'",
    );
    let partitions = partitions
        .fetch_all(&mut servers.admin().await)
        .await
        .expect("partitions");
    std::fs::write(servers.folder().join(SETTINGS), settings(partitions)).expect("the settings");

    let lint = pgrls(&servers, &["lint", "--min-severity", "warning"]);
    assert_eq!(lint["violations"], Value::Array(Vec::new()), "{lint:#}");

    let unverified = UNVERIFIED_POLICIES.map(|name| (name.to_owned(), "unverified".to_owned()));
    let unverified = BTreeSet::from(unverified);
    assert_eq!(
        verdicts(&servers, "anon"),
        unverified,
        "policies that permit a session without account and side"
    );
    // All other policies are proven, for reads and for writes.
    let (reads, writes) = (unproven(&servers, "cross-tenant"), unproven(&servers, "write"));
    let both: BTreeSet<_> = reads.union(&writes).cloned().collect();
    assert_eq!(both, cross_account_names(), "policies that span accounts");
    assert_roles_and_commands(&servers).await;

    // The check works: the prover reports a policy that permits everything.
    let open = "CREATE POLICY permit_all ON partner.account FOR SELECT TO partner_app USING (true)";
    servers.admin().await.execute(open).await.expect("a policy");
    let mut with_leak = unverified;
    with_leak.insert(("partner.account.permit_all".to_owned(), "leak".to_owned()));
    assert_eq!(
        verdicts(&servers, "anon"),
        with_leak,
        "the open policy is reported"
    );
}

/// Compares the role and command of every policy with [`CROSS_ACCOUNT_POLICIES`]; all other policies are for all
/// commands of the `_app` role.
async fn assert_roles_and_commands(servers: &TestServers) {
    let sql = "SELECT format('%s.%s.%s', schemaname, tablename, policyname),
                 format('%s %s to %s', permissive, cmd, array_to_string(roles, ' '))
               FROM pg_policies WHERE schemaname = ANY ($1)";
    let found: Vec<(String, String)> = sqlx::query_as(sql)
        .bind(contexts())
        .fetch_all(&mut servers.admin().await)
        .await
        .expect("policies");
    let mut expected = BTreeMap::new();
    for policy in &CROSS_ACCOUNT_POLICIES {
        for name in expand_services(policy.name) {
            let service = name.split('.').next().unwrap_or_default();
            let definition = format!("PERMISSIVE {} to {service}_{}", policy.command, policy.role);
            expected.insert(name, definition);
        }
    }
    let mut violations = Vec::new();
    for (name, definition) in &found {
        let service = name.split('.').next().unwrap_or_default();
        let kind = if RESTRICTIVE_POLICIES.contains(&name.as_str()) {
            "RESTRICTIVE"
        } else {
            "PERMISSIVE"
        };
        let single = SINGLE_COMMAND_POLICIES.iter().find(|(policy, _)| policy == name);
        let command = single.map_or("ALL", |(_, command)| command);
        let default = format!("{kind} {command} to {service}_app");
        let expected = expected.remove(name).unwrap_or(default);
        if *definition != expected {
            violations.push(format!("{name} is {definition}, not {expected}"));
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(expected.is_empty(), "missing policies: {expected:?}");
    assert!(found.len() > 60, "only {} policies", found.len());
}
