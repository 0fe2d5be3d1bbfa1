//! `cargo xtask fuzz`: runs the fuzz targets of `tests/fuzz` one after the other, each for some minutes and with bounded
//! memory. Inputs that a run finds stay under `tests/fuzz/target`; the corpus in the repository is only read.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, ensure};

use crate::print_status;

/// Limits of a run: 512 MiB of memory, inputs of 64 KiB, and 10 s for an input. A thread that begins or ends during the
/// search for leaks is taken for one, so there is none; leaks show in the memory.
const LIMITS: [&str; 4] = [
    "-rss_limit_mb=512",
    "-max_len=65536",
    "-timeout=10",
    "-detect_leaks=0",
];
/// The address sanitizer keeps freed memory back to find uses of it: 256 MiB by default.
const SANITIZER: (&str, &str) = ("ASAN_OPTIONS", "quarantine_size_mb=32");

#[derive(clap::Args)]
pub struct Arguments {
    /// The targets, such as `csv`. All targets if none is given.
    targets: Vec<String>,

    /// How long each target runs, in minutes.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
}

pub fn run(arguments: &Arguments, root: &Path) -> anyhow::Result<ExitCode> {
    let folder = root.join("tests/fuzz");
    let targets = selected_targets(&folder, &arguments.targets)?;
    ensure!(
        is_installed(&folder),
        "Fuzzing needs a nightly compiler and cargo-fuzz: run `rustup toolchain install nightly` and `cargo install \
         cargo-fuzz --locked`."
    );
    let mut failed = Vec::new();
    for target in targets {
        print_status(&format!("fuzzing {target} for {} minutes", arguments.minutes));
        let found = Path::new("target/corpus").join(&target);
        fs::create_dir_all(folder.join(&found))?;
        let mut command = cargo_fuzz(&folder);
        command
            .args(["run", "--fuzz-dir", ".", &target])
            // libFuzzer adds what it finds to the first folder.
            .args([&found, &Path::new("corpus").join(&target)])
            .arg("--")
            .args(LIMITS)
            .args([
                "-print_final_stats=1",
                &format!("-max_total_time={}", arguments.minutes * 60),
            ])
            .env(SANITIZER.0, SANITIZER.1);
        if !command.status()?.success() {
            failed.push(target);
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    print_status(&format!(
        "failed: {}. The inputs are in tests/fuzz/artifacts.",
        failed.join(", ")
    ));
    Ok(ExitCode::FAILURE)
}

/// The stated targets, or all. Fails if one does not exist.
fn selected_targets(folder: &Path, stated: &[String]) -> anyhow::Result<Vec<String>> {
    let programs = fs::read_dir(folder.join("fuzz_targets")).context("reading tests/fuzz/fuzz_targets")?;
    let mut all: Vec<String> = programs
        .flatten()
        .filter_map(|program| Some(program.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    all.sort();
    for target in stated {
        ensure!(
            all.contains(target),
            "There is no fuzz target `{target}`. The targets are {}.",
            all.join(", ")
        );
    }
    Ok(if stated.is_empty() { all } else { stated.to_vec() })
}

fn cargo_fuzz(folder: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.args(["+nightly", "fuzz"]).current_dir(folder);
    command
}

fn is_installed(folder: &Path) -> bool {
    let mut command = cargo_fuzz(folder);
    let version = command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzz_targets_are_those_of_the_folder_or_the_stated_ones() {
        let folder = crate::root().join("tests/fuzz");
        let all = selected_targets(&folder, &[]).expect("targets");
        assert!(all.len() > 10 && all.is_sorted(), "{all:?}");
        let stated = [String::from("csv")];
        assert_eq!(selected_targets(&folder, &stated).expect("a target"), stated);
        let error = selected_targets(&folder, &["nothing".to_owned()]).expect_err("no target");
        assert!(error.to_string().contains("csv"), "{error}");
    }
}
