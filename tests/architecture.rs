//! The rules of the code's structure (docs/ARCHITECTURE.md), as programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bytes::Bytes;
use cosell_tests::repository::{File, contexts, files, none, read, root, service};
use regex::Regex;
use sha2::{Digest as _, Sha256};

fn rust() -> Vec<File> {
    let mut all = Vec::new();
    for folder in ["shared", "services", "tests", "xtask"] {
        all.extend(files(folder, ".rs"));
    }
    all
}

/// Lines of files that match, as `path:line: text`. Comments do not count.
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
fn rules_know_no_input_or_output() {
    let domain: Vec<_> = files("services", ".rs")
        .into_iter()
        .filter(|file| file.path.contains("/domain/"))
        .collect();
    assert!(domain.len() > 20);
    let wrong = lines(
        &domain,
        r"\b(sqlx|tonic|tokio|prost|async_nats|lettre|cosell_(proto|grpc|store|events|service|telemetry))\b",
    );
    none("input or output in domain/", &wrong);
}

#[test]
fn sql_is_in_store_only() {
    let elsewhere: Vec<_> = files("services", ".rs")
        .into_iter()
        .filter(|file| !file.path.contains("/store/") && !file.path.contains("/tests/"))
        .collect();
    let wrong: Vec<_> = lines(&elsewhere, r"\bsqlx::")
        .into_iter()
        .filter(|line| !line.contains("migrate"))
        .collect();
    none("SQL outside store/", &wrong);
}

/// Migrations that several services have: what each needs, and a replica of the directory in all that do not own it.
const SHARED_MIGRATIONS: [&str; 6] = [
    "0001_platform.sql",
    "0003_directory.sql",
    "0010_denial.sql",
    "0011_worker_scope.sql",
    "0012_directory_facts.sql",
    "0013_lanes.sql",
];

#[test]
fn no_service_names_a_table_of_another() {
    let table = Regex::new(r"(?m)^CREATE TABLE (\w+)").expect("a pattern");
    let dropped = Regex::new(r"(?m)^DROP TABLE (\w+)").expect("a pattern");
    let mut wrong = Vec::new();
    for own in contexts() {
        for other in contexts().into_iter().filter(|other| *other != own) {
            let migrations = files(&format!("{}/migrations", service(&other)), ".sql");
            let gone: BTreeSet<_> = migrations
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
                    .filter(|name| !gone.contains(name))
                {
                    let statements = files(&format!("{}/src/store", service(&own)), ".rs");
                    wrong.extend(lines(&statements, &format!(r"(FROM|INTO|UPDATE|JOIN) {name}\b")));
                }
            }
        }
    }
    none("tables of another context", &wrong);
}

#[test]
fn every_service_has_the_same_rooms_and_the_same_platform_tables() {
    let mut copies = BTreeSet::new();
    for context in contexts() {
        let entries = fs::read_dir(root().join(service(&context)).join("src")).expect("a service");
        let rooms: BTreeSet<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        for room in ["api", "config.rs", "domain", "events.rs", "lib.rs", "store"] {
            assert!(rooms.contains(room), "{context} has no {room}");
        }
        for shared in SHARED_MIGRATIONS {
            let copy = format!("{}/migrations/{shared}", service(&context));
            if root().join(&copy).exists() {
                copies.insert((shared, read(&copy)));
            }
        }
        assert!(
            read(&format!("{}/README.md", service(&context))).len() > 200,
            "{context} explains itself"
        );
    }
    assert_eq!(
        copies.len(),
        SHARED_MIGRATIONS.len(),
        "a migration is history, so it is copied; but all copies are the same"
    );
}

#[test]
fn every_rpc_has_a_file_of_its_own() {
    let rpc = Regex::new(r"(?m)^  rpc (\w+)\(").expect("a pattern");
    for context in contexts() {
        let definitions = files(&format!("proto/cosell/{context}"), "_service.proto");
        // Those of jobs on many records are in bulk/, several to a file.
        let definitions = definitions
            .iter()
            .filter(|file| !file.path.ends_with("/bulk_service.proto"));
        let rpcs: usize = definitions
            .map(|file| rpc.captures_iter(&file.text).count())
            .sum();
        let entries = fs::read_dir(root().join(service(&context)).join("src/api")).expect("api/");
        let names = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned());
        let files = names
            .filter(|name| {
                !name.starts_with("convert")
                    && !name.ends_with("_service.rs")
                    && !["mod.rs", "status.rs", "visible.rs", "change.rs", "people.rs"]
                        .contains(&name.as_str())
            })
            .count();
        assert_eq!(files, rpcs, "{context}: files of RPCs and RPCs");
    }
}

#[test]
fn files_are_small_and_folders_flat() {
    let mut wrong = Vec::new();
    for file in rust() {
        let lines = file.text.lines().count();
        if lines > 500 {
            wrong.push(format!("{}: {lines} lines, more than 500", file.path));
        }
        let below = file
            .path
            .split_once("/src/")
            .map_or(0, |(_, below)| below.matches('/').count());
        if below > 1 {
            wrong.push(format!("{}: {below} folders under src/", file.path));
        }
    }
    none("too long or too deep", &wrong);
}

#[test]
fn what_all_services_share_knows_no_context() {
    let shared: Vec<_> = ["grpc", "store", "events", "service", "telemetry"]
        .iter()
        .flat_map(|name| files(&format!("shared/{name}/src"), ".rs"))
        .collect();
    // A partner is also a side of every call, and the directory is where every service has its members from.
    let words: Vec<_> = contexts().into_iter().filter(|name| name != "partner").collect();
    let words = words.join("|");
    let wrong = lines(
        &shared,
        &format!(
            r"(?i)\b({words}|(Account|Member|Connection)Service|referral|connection_invitation|collaboration)\b"
        ),
    );
    none("words of a context in shared/", &wrong);
}

#[test]
fn every_reason_is_documented_given_and_tested() {
    let reason = Regex::new(r"(?m)^  ERROR_REASON_(\w+) = (\d+);").expect("a pattern");
    let mut wrong = Vec::new();
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
                wrong.push(format!("{name} of {context} is never given"));
            }
            let tested = tests
                .iter()
                .filter(|file| is_test(file))
                .any(|file| file.text.contains(&format!("\"{name}\"")));
            if !tested {
                wrong.push(format!("{name} of {context} is expected by no test"));
            }
            if !api.contains(&format!("`{name}`")) {
                wrong.push(format!("{name} of {context} is not in docs/API.md"));
            }
        }
    }
    none("reasons", &wrong);
}

fn is_test(file: &File) -> bool {
    file.path.contains("/tests/") || file.path.starts_with("tests/") || file.text.contains("#[cfg(test)]")
}

#[test]
fn every_event_is_documented_and_has_a_frozen_form() {
    let message = Regex::new(r"(?m)^message (\w+) \{").expect("a pattern");
    let document = read("docs/EVENTS.md");
    let mut wrong = Vec::new();
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
                wrong.push(format!("{name} of {context} has no file in tests/contracts"));
            }
            if !document.contains(&format!("`{name}`")) {
                wrong.push(format!("{name} of {context} is not in docs/EVENTS.md"));
            }
        }
    }
    none("events", &wrong);
}

/// A database that has applied a migration refuses one that has changed since.
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
    let mut wrong = Vec::new();
    for line in read("tests/migrations.txt").lines() {
        let (sum, path) = line.split_once("  ").expect("a sum and a path");
        if there.get(path).map(String::as_str) != Some(sum) {
            wrong.push(format!(
                "{path} was released, and is another one now; add a migration"
            ));
        }
    }
    none("tests/migrations.txt", &wrong);
}

/// Rules have ids; what cites one must find it, and what stands in the document must be built and cited.
#[test]
fn rule_ids_lead_to_the_rules_and_back() {
    let id = Regex::new(r"\b(ACC|CHN|COL|CON|DIR|OPP|REF|REV|NOT|PLT)-([0-9]{3})\b").expect("a pattern");
    let heading = Regex::new(r"(?m)^\| \*\*([A-Z]{3}-[0-9]{3})\*\*").expect("a pattern");
    let document = read("docs/DOMAIN.md");
    let known: BTreeSet<String> = heading
        .captures_iter(&document)
        .map(|found| found[1].to_owned())
        .collect();
    let mut cited = BTreeSet::new();
    let mut everything = rust();
    everything.extend(files("proto/cosell", ".proto"));
    everything.extend(files("services", ".sql"));
    for file in &everything {
        cited.extend(id.find_iter(&file.text).map(|found| found.as_str().to_owned()));
    }
    let unknown: Vec<_> = cited.difference(&known).cloned().collect();
    none("cited, but not in docs/DOMAIN.md", &unknown);
    let idle: Vec<_> = known.difference(&cited).cloned().collect();
    none("in docs/DOMAIN.md, but nothing cites it", &idle);
    let in_text: Vec<_> = id
        .find_iter(&document)
        .map(|found| found.as_str().to_owned())
        .filter(|id| !known.contains(id))
        .collect();
    none("named in docs/DOMAIN.md without being a rule there", &in_text);
    // A test says in its name which rule it holds: `opp_024_…`, or several: `rev_002_003_…`.
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
    none("rules that no test has in its name", &untested);
}

/// What a record must say is tested as a table: each rule has a case that keeps it and one that breaks it.
#[test]
fn every_rule_of_a_record_is_kept_by_one_case_and_broken_by_another() {
    let document = read("docs/DOMAIN.md");
    let between = |from: &str, to: &str| {
        let start = document.find(from).expect("the section");
        let rest = &document[start..];
        rest[..rest.find(to).expect("the next section")].to_owned()
    };
    let rules = between("### What a record must say", "### Review status");
    let id = Regex::new(r"\*\*(OPP-\d{3})\*\*").expect("a pattern");
    let cases = format!(
        "{}{}",
        read("services/opportunity/src/domain/tests_cases.rs"),
        read("services/opportunity/src/domain/tests_deal_cases.rs")
    );
    // Turning visibility only into co-sell is a change of a record, not what one says.
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
    none("rules without cases", &missing);
}

#[test]
fn every_option_from_the_environment_is_documented() {
    let option = Regex::new(r#"env = "(COSELL_\w+)""#).expect("a pattern");
    let document = read("docs/OPERATIONS.md");
    let mut wrong = BTreeSet::new();
    for file in rust().into_iter().filter(|file| !file.path.contains("/tests_")) {
        for found in option.captures_iter(&file.text) {
            if !document.contains(&format!("`{}`", &found[1])) {
                wrong.insert(format!("{} of {}", &found[1], file.path));
            }
        }
    }
    none(
        "options that docs/OPERATIONS.md does not have",
        &wrong.into_iter().collect::<Vec<_>>(),
    );
}

#[test]
fn nothing_waits_blindly_and_nothing_is_left_for_later() {
    let everything = rust();
    let mut wrong = lines(&everything, r"#\[(ignore|allow)\b|\btodo!|\bunimplemented!");
    let later = Regex::new(&["TO", "DO|FIX", "ME|XX", "X"].concat()).expect("a pattern");
    for file in &everything {
        for (number, line) in file
            .text
            .lines()
            .enumerate()
            .filter(|(_, line)| later.is_match(line))
        {
            wrong.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
        }
    }
    // A test polls with a deadline, in the one place that does.
    let tests: Vec<_> = everything
        .into_iter()
        .filter(|file| {
            is_test(file) && !file.path.starts_with("shared/testkit") && file.path != "tests/architecture.rs"
        })
        .filter(|file| file.path.contains("/tests/") || file.path.starts_with("tests/"))
        .collect();
    wrong.extend(lines(&tests, r"\bsleep\("));
    none("left for later, or waiting blindly", &wrong);
}

/// What docs/COVERAGE.md calls a proof is one.
#[test]
fn the_coverage_names_tests_that_exist() {
    let name = Regex::new(r"`((?:acc|col|con|not|opp|ref|rev)_[0-9a-z_]+)`").expect("a pattern");
    let everything: String = rust().into_iter().map(|file| file.text).collect();
    let document = read("docs/COVERAGE.md");
    let named: BTreeSet<_> = name
        .captures_iter(&document)
        .map(|found| found[1].to_owned())
        .collect();
    assert!(named.len() > 30, "{} tests", named.len());
    let gone: Vec<_> = named
        .into_iter()
        .filter(|name| !everything.contains(&format!("fn {name}(")))
        .collect();
    none("tests that docs/COVERAGE.md names and that are gone", &gone);
}

#[test]
fn documents_lead_to_files_that_exist() {
    let link = Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").expect("a pattern");
    let mut wrong = Vec::new();
    for file in files(".", ".md") {
        let folder = file
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .to_owned();
        for found in link.captures_iter(&file.text) {
            let target = root().join(&folder).join(&found[1]);
            if !target.exists() {
                wrong.push(format!("{}: {}", file.path, &found[1]));
            }
        }
    }
    none("links to nothing", &wrong);
}
