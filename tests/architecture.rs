//! Tests of the rules for the structure of the code (docs/ARCHITECTURE.md).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bytes::Bytes;
use cosell_tests::repository::{File, assert_none, contexts, files, read, root, service};
use regex::Regex;
use sha2::{Digest as _, Sha256};

mod cycles;
mod documents;
mod handlers;
mod vocabulary;

fn rust() -> Vec<File> {
    let mut all = Vec::new();
    for folder in ["shared", "services", "tests", "xtask"] {
        all.extend(files(folder, ".rs"));
    }
    all
}

/// The lines of code that match `pattern`, as `path:line: text`. Ignores comments.
fn lines(files: &[File], pattern: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).expect("a pattern");
    let mut found = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if pattern.is_match(code) {
                found.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn domain_has_no_input_or_output() {
    let domain: Vec<_> = files("services", ".rs")
        .into_iter()
        .filter(|file| file.path.contains("/domain/"))
        .collect();
    assert!(domain.len() > 20);
    let violations = lines(
        &domain,
        r"\b(sqlx|tonic|tokio|prost|async_nats|lettre|cosell_(proto|grpc|store|events|service|telemetry))\b",
    );
    assert_none("input or output in domain/", &violations);
}

#[test]
fn sql_is_in_store_only() {
    let elsewhere: Vec<_> = files("services", ".rs")
        .into_iter()
        .filter(|file| !file.path.contains("/store/") && !file.path.contains("/tests/"))
        .collect();
    let violations: Vec<_> = lines(&elsewhere, r"\bsqlx::")
        .into_iter()
        .filter(|line| !line.contains("migrate"))
        .collect();
    assert_none("SQL outside store/", &violations);
}

/// Migrations that are the same in several services: platform tables, and the replica of the directory.
const SHARED_MIGRATIONS: [&str; 8] = [
    "0001_platform.sql",
    "0003_directory.sql",
    "0010_denial.sql",
    "0011_worker_scope.sql",
    "0012_directory_facts.sql",
    "0013_lanes.sql",
    "0021_member_visibility.sql",
    "0025_consumer.sql",
];

#[test]
fn store_names_no_table_of_another_service() {
    let table = Regex::new(r"(?m)^CREATE TABLE (\w+)").expect("a pattern");
    let dropped = Regex::new(r"(?m)^DROP TABLE (\w+)").expect("a pattern");
    let mut violations = Vec::new();
    for own in contexts() {
        for other in contexts().into_iter().filter(|other| *other != own) {
            let migrations = files(&format!("{}/migrations", service(&other)), ".sql");
            let removed: BTreeSet<_> = migrations
                .iter()
                .flat_map(|migration| dropped.captures_iter(&migration.text))
                .map(|found| found[1].to_owned())
                .collect();
            for migration in migrations {
                if SHARED_MIGRATIONS
                    .iter()
                    .any(|shared| migration.path.ends_with(shared))
                {
                    continue;
                }
                for name in table
                    .captures_iter(&migration.text)
                    .map(|found| found[1].to_owned())
                    .filter(|name| !removed.contains(name))
                {
                    let statements = files(&format!("{}/src/store", service(&own)), ".rs");
                    violations.extend(lines(&statements, &format!(r"(FROM|INTO|UPDATE|JOIN) {name}\b")));
                }
            }
        }
    }
    assert_none("tables of another context", &violations);
}

#[test]
fn services_have_the_same_modules_and_platform_migrations() {
    let mut copies = BTreeSet::new();
    for context in contexts() {
        let entries = fs::read_dir(root().join(service(&context)).join("src")).expect("a service");
        let modules: BTreeSet<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        for module in ["api", "config.rs", "domain", "events.rs", "lib.rs", "store"] {
            assert!(modules.contains(module), "{context} has no {module}");
        }
        for shared in SHARED_MIGRATIONS {
            let copy = format!("{}/migrations/{shared}", service(&context));
            if root().join(&copy).exists() {
                copies.insert((shared, read(&copy)));
            }
        }
        assert!(
            read(&format!("{}/README.md", service(&context))).len() > 200,
            "the README of {context} is too short"
        );
    }
    assert_eq!(
        copies.len(),
        SHARED_MIGRATIONS.len(),
        "all copies of a shared migration are equal"
    );
}

#[test]
fn files_are_short_and_folders_flat() {
    let mut violations = Vec::new();
    for file in rust() {
        let lines = file.text.lines().count();
        if lines > 500 {
            violations.push(format!("{}: {lines} lines, more than 500", file.path));
        }
        let below = file
            .path
            .split_once("/src/")
            .map_or(0, |(_, below)| below.matches('/').count());
        if below > 1 {
            violations.push(format!("{}: {below} folders under src/", file.path));
        }
    }
    assert_none("too long or too deeply nested files", &violations);
}

#[test]
fn shared_crates_name_no_context() {
    let shared: Vec<_> = ["grpc", "store", "events", "service", "telemetry", "web"]
        .iter()
        .flat_map(|name| files(&format!("shared/{name}/src"), ".rs"))
        .collect();
    // `partner` is also a side of every call, and every service replicates members from the directory.
    let names: Vec<_> = contexts().into_iter().filter(|name| name != "partner").collect();
    let names = names.join("|");
    let violations = lines(
        &shared,
        &format!(
            r"(?i)\b({names}|(Account|Member|Connection)Service|referral|connection_invitation|collaboration)\b"
        ),
    );
    assert_none("names of a context in shared/", &violations);
}

#[test]
fn every_error_reason_is_documented_used_and_tested() {
    let reason = Regex::new(r"(?m)^  ERROR_REASON_(\w+) = (\d+);").expect("a pattern");
    let mut violations = Vec::new();
    let mut folders = contexts();
    folders.push("type".to_owned());
    for context in folders {
        let path = if context == "type" {
            "errors".to_owned()
        } else {
            format!("{context}_errors")
        };
        let definition = read(&format!("proto/cosell/{context}/v1/{path}.proto"));
        let (code, tests): (Vec<_>, Vec<_>) = if context == "type" {
            (files("shared", ".rs"), rust())
        } else {
            let all = files(&service(&context), ".rs");
            all.into_iter().partition(|file| !file.path.contains("/tests/"))
        };
        let api = read("docs/API.md");
        for found in reason.captures_iter(&definition).filter(|found| &found[2] != "0") {
            let name = &found[1];
            let camel: String = name
                .split('_')
                .map(|word| word[..1].to_owned() + &word[1..].to_lowercase())
                .collect();
            let given = format!("ErrorReason::{camel}");
            if !code.iter().any(|file| file.text.contains(&given)) {
                violations.push(format!("{name} of {context} is never used"));
            }
            let tested = tests
                .iter()
                .filter(|file| is_test(file))
                .any(|file| file.text.contains(&format!("\"{name}\"")));
            if !tested {
                violations.push(format!("{name} of {context} is expected by no test"));
            }
            if !api.contains(&format!("`{name}`")) {
                violations.push(format!("{name} of {context} is not in docs/API.md"));
            }
        }
    }
    assert_none("invalid error reasons", &violations);
}

fn is_test(file: &File) -> bool {
    file.path.contains("/tests/") || file.path.starts_with("tests/") || file.text.contains("#[cfg(test)]")
}

#[test]
fn every_event_is_documented_and_has_a_contract() {
    let message = Regex::new(r"(?m)^message (\w+) \{").expect("a pattern");
    let document = read("docs/EVENTS.md");
    let mut violations = Vec::new();
    for context in contexts() {
        let definition = read(&format!("proto/cosell/{context}/v1/{context}_events.proto"));
        for found in message.captures_iter(&definition) {
            let name = &found[1];
            if name.ends_with("EventDetail") {
                continue;
            }
            if !root()
                .join(format!("tests/contracts/{context}.{name}.json"))
                .exists()
            {
                violations.push(format!("{name} of {context} has no file in tests/contracts"));
            }
            if !document.contains(&format!("`{name}`")) {
                violations.push(format!("{name} of {context} is not in docs/EVENTS.md"));
            }
        }
    }
    assert_none("invalid events", &violations);
}

/// A database that has applied a migration refuses a changed version of it.
#[test]
fn released_migrations_are_unchanged() {
    let there: BTreeMap<_, _> = files("services", ".sql")
        .into_iter()
        .filter(|file| file.path.contains("/migrations/"))
        .map(|file| {
            let sum = Bytes::copy_from_slice(&Sha256::digest(file.text));
            (file.path, format!("{sum:x}"))
        })
        .collect();
    let mut violations = Vec::new();
    for line in read("tests/migrations.txt").lines() {
        let (sum, path) = line.split_once("  ").expect("a sum and a path");
        if there.get(path).map(String::as_str) != Some(sum) {
            violations.push(format!(
                "{path} has changed since its release; add a new migration instead"
            ));
        }
    }
    assert_none("violations of tests/migrations.txt", &violations);
}

/// Every cited rule id has a heading in docs/DOMAIN.md, and every heading there is cited and tested.
#[test]
fn rule_ids_are_defined_cited_and_tested() {
    let id = Regex::new(r"\b(ACC|CHN|COL|CON|DIR|OPP|REF|REV|NOT|PLT)-([0-9]{3})\b").expect("a pattern");
    let document = read("docs/DOMAIN.md");
    let rules = documents::domain_rules(&document).unwrap_or_else(|violations| {
        assert_none("headings of docs/DOMAIN.md", &violations);
        Vec::new()
    });
    let known: BTreeSet<String> = rules.into_iter().map(|(_, id)| id.to_owned()).collect();
    let mut cited = BTreeSet::new();
    let mut everything = rust();
    everything.extend(files("proto/cosell", ".proto"));
    everything.extend(files("services", ".sql"));
    for file in &everything {
        cited.extend(id.find_iter(&file.text).map(|found| found.as_str().to_owned()));
    }
    let unknown: Vec<_> = cited.difference(&known).cloned().collect();
    assert_none("cited, but not in docs/DOMAIN.md", &unknown);
    let idle: Vec<_> = known.difference(&cited).cloned().collect();
    assert_none("in docs/DOMAIN.md, but never cited", &idle);
    let in_text: Vec<_> = id
        .find_iter(&document)
        .map(|found| found.as_str().to_owned())
        .filter(|id| !known.contains(id))
        .collect();
    assert_none("cited in docs/DOMAIN.md without a definition there", &in_text);
    // The name of a test begins with the rules that it checks: `opp_024_…`, or several: `rev_002_003_…`.
    let name = Regex::new(r"fn [a-z0-9_]+").expect("a pattern");
    let test =
        Regex::new(r"[ _](acc|chn|col|con|dir|opp|ref|rev|not|plt)((?:_[0-9]{3})+)").expect("a pattern");
    let mut tested = BTreeSet::new();
    for file in everything
        .iter()
        .filter(|file| is_test(file) || file.path.contains("/domain/tests"))
    {
        let names = name.find_iter(&file.text).map(|found| found.as_str());
        for found in names.flat_map(|name| test.captures_iter(name)) {
            let context = found[1].to_uppercase();
            tested.extend(
                found[2]
                    .split('_')
                    .filter(|number| !number.is_empty())
                    .map(|number| format!("{context}-{number}")),
            );
        }
    }
    let untested: Vec<_> = known.difference(&tested).cloned().collect();
    assert_none("rules that no test has in its name", &untested);
}

/// Field and submission rules are tested as a table: each has a case that meets it and one that violates it.
#[test]
fn every_record_rule_has_a_satisfied_and_a_violated_case() {
    let document = read("docs/DOMAIN.md");
    let between = |from: &str, to: &str| {
        let start = document.find(from).expect("the section");
        let rest = &document[start..];
        rest[..rest.find(to).expect("the next section")].to_owned()
    };
    let rules = between("## Field validation", "## Review status");
    let id = Regex::new(r"(?m)^### (OPP-\d{3}) ").expect("a pattern");
    let cases = format!(
        "{}{}",
        read("services/opportunity/src/domain/tests_cases.rs"),
        read("services/opportunity/src/domain/tests_submission_cases.rs")
    );
    // This rule is about a change of involvement, not about the content of a record.
    let not_of_a_record = ["OPP-027"];
    let mut missing = Vec::new();
    for rule in id.captures_iter(&rules).map(|found| found[1].to_owned()) {
        for kind in ["keeps", "breaks"] {
            let case = Regex::new(&format!(r#"\b{kind}\(\s*"{rule}""#)).expect("a pattern");
            if !case.is_match(&cases) && !not_of_a_record.contains(&rule.as_str()) {
                missing.push(format!("{rule} has no case that {kind} it"));
            }
        }
    }
    assert_none("record rules without cases", &missing);
}

#[test]
fn every_environment_variable_is_documented() {
    let option = Regex::new(r#"env = "(COSELL_\w+)""#).expect("a pattern");
    let document = read("docs/OPERATIONS.md");
    let mut violations = BTreeSet::new();
    for file in rust().into_iter().filter(|file| !file.path.contains("/tests_")) {
        for found in option.captures_iter(&file.text) {
            if !document.contains(&format!("`{}`", &found[1])) {
                violations.insert(format!("{} of {}", &found[1], file.path));
            }
        }
    }
    assert_none(
        "environment variables missing in docs/OPERATIONS.md",
        &violations.into_iter().collect::<Vec<_>>(),
    );
}

#[test]
fn tests_do_not_sleep_and_code_has_no_open_tasks() {
    let everything = rust();
    let mut violations = lines(&everything, r"#\[(ignore|allow)\b|\btodo!|\bunimplemented!");
    let later = Regex::new(&["TO", "DO|FIX", "ME|XX", "X"].concat()).expect("a pattern");
    for file in &everything {
        for (number, line) in file
            .text
            .lines()
            .enumerate()
            .filter(|(_, line)| later.is_match(line))
        {
            violations.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
        }
    }
    // Tests poll with a deadline, through the testkit only.
    let tests: Vec<_> = everything
        .into_iter()
        .filter(|file| {
            is_test(file)
                && !file.path.starts_with("shared/testkit")
                // An attack waits as long as the attacker does, and what costs nothing is measured by waiting.
                && !file.path.starts_with("tests/drill/")
                && !file.path.starts_with("tests/bench/")
                && file.path != "tests/architecture.rs"
        })
        .filter(|file| file.path.contains("/tests/") || file.path.starts_with("tests/"))
        .collect();
    violations.extend(lines(&tests, r"\bsleep\("));
    assert_none("sleeps in tests, and open tasks", &violations);
}

/// docs/COVERAGE.md names tests as evidence.
#[test]
fn coverage_document_names_existing_tests() {
    let name = Regex::new(r"`((?:acc|col|con|not|opp|ref|rev)_[0-9a-z_]+)`").expect("a pattern");
    let everything: String = rust().into_iter().map(|file| file.text).collect();
    let document = read("docs/COVERAGE.md");
    let named: BTreeSet<_> = name
        .captures_iter(&document)
        .map(|found| found[1].to_owned())
        .collect();
    assert!(named.len() > 30, "{} tests", named.len());
    let removed: Vec<_> = named
        .into_iter()
        .filter(|name| !everything.contains(&format!("fn {name}(")))
        .collect();
    assert_none("missing tests that docs/COVERAGE.md names", &removed);
}

#[test]
fn document_links_lead_to_existing_files() {
    let link = Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").expect("a pattern");
    let mut violations = Vec::new();
    for file in files(".", ".md") {
        let folder = file
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .to_owned();
        for found in link.captures_iter(&file.text) {
            let target = root().join(&folder).join(&found[1]);
            if !target.exists() {
                violations.push(format!("{}: {}", file.path, &found[1]));
            }
        }
    }
    assert_none("links to missing files", &violations);
}
