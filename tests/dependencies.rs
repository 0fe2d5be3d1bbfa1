//! Rules of crate dependencies (docs/ARCHITECTURE.md) and of their features (docs/adr/0019-build-profiles.md).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use cosell_tests::repository::{assert_none, root};
use serde_json::Value;

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(root())
        .output()
        .expect("cargo");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

fn packages() -> Vec<Value> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).expect("metadata");
    metadata["packages"].as_array().expect("packages").clone()
}

#[test]
fn services_and_shared_crates_depend_on_no_service() {
    let packages = packages();
    let folder = |package: &Value| {
        let path = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        let inside = path.strip_prefix(root()).expect("a path in the repository");
        let mut parents = inside.iter().map(|part| part.to_string_lossy().into_owned());
        parents.next().unwrap_or_default()
    };
    let folders: BTreeMap<String, String> = packages
        .iter()
        .map(|package| {
            (
                package["name"].as_str().unwrap_or_default().to_owned(),
                folder(package),
            )
        })
        .collect();
    let mut violations = Vec::new();
    for package in &packages {
        let name = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            let to = folders.get(on).map_or("", String::as_str);
            let from = folders[name].as_str();
            // These two crates link all services.
            let on_service = to == "services" && !["cosell", "cosell-server"].contains(&name);
            let io = ["async-nats", "sqlx", "tokio", "tonic", "prost", "cosell-proto"];
            if (on_service && (from == "services" || from == "shared"))
                || (name == "cosell-types" && io.contains(&on))
            {
                violations.push(format!("{name} depends on {on}"));
            }
        }
    }
    assert_none("forbidden dependencies", &violations);
}

/// The features that a selection of packages enables for each dependency. A dependency has two sets if it is used both
/// at runtime and in build scripts.
fn features(selection: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let form = [
        "tree",
        "--edges",
        "normal,build,dev",
        "--prefix",
        "none",
        "--format",
        "{p}|{f}",
    ];
    let mut features = BTreeMap::<_, BTreeSet<_>>::new();
    for line in cargo(&[&form, selection].concat()).lines() {
        // A blank line separates the trees of packages.
        let Some((package, found)) = line.split_once('|') else {
            continue;
        };
        let package = package.split(" (").next().unwrap_or_default();
        let found = found.trim_end_matches(" (*)");
        features
            .entry(package.to_owned())
            .or_default()
            .insert(found.to_owned());
    }
    assert!(!features.is_empty(), "no dependencies of {selection:?}");
    features
}

/// Otherwise cargo recompiles dependencies whenever another selection is built.
#[test]
fn every_package_selection_enables_the_same_features() {
    let all = features(&["--workspace"]);
    let mut violations = Vec::new();
    for package in packages() {
        let name = package["name"].as_str().unwrap_or_default();
        for (dependency, enabled) in features(&["--package", name]) {
            if dependency.starts_with("cosell") {
                continue;
            }
            for other in enabled.difference(&all[&dependency]) {
                violations.push(format!("{dependency} of {name}: {other}"));
            }
        }
    }
    assert_none(
        "differing features; `cargo hakari generate` unifies them",
        &violations,
    );
}
