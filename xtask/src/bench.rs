//! `cargo xtask bench` and `cargo xtask drill`: build benchmarks and drills with optimisations, and run them on private
//! servers.

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
    /// What to run, such as `provisioning` or `overload`, and options; everything if empty. `-- --help` lists it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<String>,
}

pub fn run(program: &str, arguments: &Arguments, root: &Path) -> anyhow::Result<ExitCode> {
    let programs = Programs::find(&print_status)?;
    let nats = nats::program(&print_status)?;
    print_status("building with optimisations (the first build takes some minutes)");
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--package", "cosell-tests", "--bins"]);
    ensure!(build.current_dir(root).status()?.success(), "building failed");
    ignore_signals()?;
    let folder = RunFolder::new()?;
    print_status(&format!("running {program} on PostgreSQL {}", programs.version));
    let mut command = Command::new(tools::target().join("release").join(program));
    command.args(&arguments.program).envs([
        ("COSELL_TEST_NATS", nats),
        ("COSELL_TEST_FOLDER", PathBuf::from(folder.path())),
    ]);
    run_with_exit_code(&mut command)
}
