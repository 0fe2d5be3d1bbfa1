//! The rules of what depends on what (docs/ARCHITECTURE.md), and with which features (docs/adr/0019-build-profiles.md).

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cosell_tests::repository::{none, root};
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
fn services_depend_on_no_service_and_shared_crates_on_none() {
    let packages = packages();
    let folder = |package: &Value| {
        let path = package["manifest_path"].as_str().unwrap_or_default().to_owned();
        path.rsplit('/').nth(2).unwrap_or_default().to_owned()
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
    let mut wrong = Vec::new();
    for package in &packages {
        let name = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            let to = folders.get(on).map_or("", String::as_str);
            let from = folders[name].as_str();
            // These two are what all of them are put together in.
            let on_service = to == "services" && !["cosell", "cosell-server"].contains(&name);
            let io = ["async-nats", "sqlx", "tokio", "tonic", "prost", "cosell-proto"];
            if (on_service && (from == "services" || from == "shared"))
                || (name == "cosell-types" && io.contains(&on))
            {
                wrong.push(format!("{name} depends on {on}"));
            }
        }
    }
    none("dependencies in the wrong direction", &wrong);
}

/// The features that a selection of packages asks of each dependency, once for what runs and once for what builds.
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
        // Trees of several packages are apart by a blank line.
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

/// Otherwise a dependency would be compiled anew whenever somebody builds another selection.
#[test]
fn every_selection_of_packages_asks_for_the_same_features() {
    let all = features(&["--workspace"]);
    let mut wrong = Vec::new();
    for package in packages() {
        let name = package["name"].as_str().unwrap_or_default();
        for (dependency, asked) in features(&["--package", name]) {
            if dependency.starts_with("cosell") {
                continue;
            }
            for other in asked.difference(&all[&dependency]) {
                wrong.push(format!("{dependency} of {name}: {other}"));
            }
        }
    }
    none(
        "features that differ; `cargo hakari generate` unites them",
        &wrong,
    );
}
