//! The shape of handlers: where they are, what they do before they take a connection, and where transitions are counted.

use std::collections::BTreeSet;
use std::fs;

use cosell_tests::repository::{assert_none, contexts, files, root, service};
use heck::ToSnakeCase as _;
use regex::Regex;

/// A reader finds an RPC by its name, and every other file of `api/` lists the RPCs of one gRPC service.
#[test]
fn every_rpc_has_a_file_of_its_name() {
    let rpc = Regex::new(r"(?m)^  rpc (\w+)\(").expect("a pattern");
    for context in contexts() {
        let mut definitions = files(&format!("proto/cosell/{context}"), "_service.proto");
        if context == "opportunity" {
            definitions.extend(files("proto/google/longrunning", "operations.proto"));
        }
        let mut expected = BTreeSet::from(["mod".to_owned()]);
        for definition in &definitions {
            let rpcs = rpc.captures_iter(&definition.text);
            expected.extend(rpcs.map(|found| found[1].to_snake_case()));
            let name = definition.path.rsplit('/').next().unwrap_or_default();
            expected.insert(name.trim_end_matches(".proto").to_owned());
        }
        let entries = fs::read_dir(root().join(service(&context)).join("src/api")).expect("api/");
        let present: BTreeSet<_> = entries
            .flatten()
            .map(|entry| {
                entry
                    .file_name()
                    .to_string_lossy()
                    .trim_end_matches(".rs")
                    .to_owned()
            })
            .collect();
        assert_eq!(present, expected, "{context}: files of api/ and RPCs");
    }
}

/// An invalid filter or page token must not cost a connection.
#[test]
fn lists_are_validated_before_a_connection_is_taken() {
    let validation =
        Regex::new(r" (?:filter|query\.cursor|ids?|timestamp_range|date_range)\(&?\w").expect("a pattern");
    let begin = Regex::new(r"= begin(?:_with_timeout)?\(").expect("a pattern");
    let mut violations = Vec::new();
    let mut checked = 0;
    for file in files("services", ".rs") {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if !file.path.contains("/src/api/list_")
            && !["export_opportunities.rs", "transfer_opportunities.rs"].contains(&name)
        {
            continue;
        }
        let Some(first) = begin.find(&file.text) else {
            continue;
        };
        checked += 1;
        let rest = &file.text[first.end()..];
        let rest = rest.split("\n}\n").next().unwrap_or_default();
        let late = validation.find_iter(rest);
        violations.extend(late.map(|found| format!("{}: {} after begin", file.path, found.as_str())));
    }
    assert!(checked > 20, "only {checked} lists were found");
    assert_none("lists that take a connection first", &violations);
}

/// Work in the background must not be counted as a call, and a call not twice: calls are counted where they commit.
#[test]
fn transitions_of_calls_are_counted_where_calls_commit() {
    let mut violations = Vec::new();
    for folder in ["services", "shared"] {
        for file in files(folder, ".rs") {
            if file.text.contains("Trigger::Call") && file.path != "shared/store/src/call.rs" {
                violations.push(file.path);
            }
        }
    }
    // The definition, and the changes of channels that an opt-out call makes besides its own.
    let allowed = [
        "shared/telemetry/src/metrics.rs",
        "services/collaboration/src/lib.rs",
    ];
    violations.retain(|path| !allowed.contains(&path.as_str()));
    assert_none("other places that count transitions of calls", &violations);
}
