//! `cargo xtask bench`: measures on servers of its own, with programs built with optimisations.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::ensure;
use cosell_testkit::nats;
use cosell_testkit::postgres::Programs;
use cosell_testkit::tools;

use crate::test::Folder;
use crate::{passed, say, survive};

#[derive(clap::Args)]
pub struct Arguments {
    /// What to measure, such as `provisioning`, and options of the program; without any, everything. `--help` lists
    /// them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<String>,
}

pub fn run(arguments: &Arguments, root: &Path) -> anyhow::Result<ExitCode> {
    let programs = Programs::find(&say)?;
    let nats = nats::program(&say)?;
    say("building with optimisations (the first time takes some minutes)");
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--package", "cosell-tests", "--bins"]);
    ensure!(
        build.current_dir(root).status()?.success(),
        "the programs do not build"
    );
    survive()?;
    let folder = Folder::new()?;
    say(&format!("measuring, on PostgreSQL {}", programs.version));
    let mut command = Command::new(tools::target().join("release/cosell-bench"));
    command.args(&arguments.program).envs([
        ("COSELL_TEST_NATS", nats),
        ("COSELL_TEST_FOLDER", PathBuf::from(folder.path())),
    ]);
    passed(&mut command)
}
