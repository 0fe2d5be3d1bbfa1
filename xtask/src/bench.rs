//! `cargo xtask bench`: builds the benchmarks with optimisations and runs them on private servers.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::ensure;
use cosell_testkit::nats;
use cosell_testkit::postgres::Programs;
use cosell_testkit::tools;

use crate::test::RunFolder;
use crate::{ignore_signals, print_status, run_with_exit_code};

#[derive(clap::Args)]
pub struct Arguments {
    /// Benchmarks to run, such as `provisioning`, and their options; all benchmarks if empty. `-- --help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<String>,
}

pub fn run(arguments: &Arguments, root: &Path) -> anyhow::Result<ExitCode> {
    let programs = Programs::find(&print_status)?;
    let nats = nats::program(&print_status)?;
    print_status("building with optimisations (the first build takes some minutes)");
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--package", "cosell-tests", "--bins"]);
    ensure!(
        build.current_dir(root).status()?.success(),
        "building the benchmarks failed"
    );
    ignore_signals()?;
    let folder = RunFolder::new()?;
    print_status(&format!("running benchmarks on PostgreSQL {}", programs.version));
    let mut command = Command::new(tools::target().join("release/cosell-bench"));
    command.args(&arguments.program).envs([
        ("COSELL_TEST_NATS", nats),
        ("COSELL_TEST_FOLDER", PathBuf::from(folder.path())),
    ]);
    run_with_exit_code(&mut command)
}
