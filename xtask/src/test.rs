//! `cargo xtask test`: everything that has to hold, the quick things first.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, ensure};
use cosell_testkit::nats;
use cosell_testkit::postgres::{Cluster, Durability, Programs};
use cosell_testkit::tools::{self, Platform};

use crate::{passed, say, survive};

/// What the Python client of the tests is made with, and what proves row-level security.
const PYTHON: [&str; 4] = [
    "grpcio==1.85.1",
    "grpcio-tools==1.85.1",
    "googleapis-common-protos==1.76.0",
    "pgrls==0.57.1",
];
const BUF: &str = "@bufbuild/buf@1.75.0";

#[derive(clap::Args)]
pub struct Arguments {
    /// Only run tests, without formatting, lints and interface rules.
    #[arg(long)]
    only_tests: bool,

    /// Passed on to the test runner, such as `-p cosell-opportunity` or a part of a test's name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    runner: Vec<String>,
}

pub fn run(arguments: &Arguments, root: &Path) -> anyhow::Result<ExitCode> {
    if !arguments.only_tests {
        say("formatting");
        check(
            Command::new("cargo")
                .args(["fmt", "--all", "--check"])
                .current_dir(root),
            "cargo fmt",
        )?;
        say("lints");
        let mut clippy = Command::new("cargo");
        clippy.args([
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ]);
        check(clippy.current_dir(root), "cargo clippy")?;
        buf(root)?;
    }

    let programs = Programs::find(&say)?;
    let nats = nats::program(&say)?;
    let python = tools::wheels("python", &PYTHON, Platform::ThisPython, &say)?;
    survive()?;
    let folder = Folder::new()?;
    say(&format!("starting PostgreSQL {} for the tests", programs.version));
    let postgres = Cluster::start(&programs, &folder.0.join("postgres"), Durability::Process)?;
    let admin = postgres.admin_url("");
    let environment = [
        ("COSELL_TEST_POSTGRES", PathBuf::from(admin.trim_end_matches('/'))),
        ("COSELL_TEST_NATS", nats),
        ("COSELL_TEST_PYTHON", python),
        ("COSELL_TEST_FOLDER", folder.0.clone()),
    ];

    if arguments.runner.is_empty() {
        say("tests of the build with faults built in");
        let sabotaged = [
            "--package",
            "cosell-tests",
            "--features",
            "sabotage",
            "--test",
            "sabotage",
        ];
        let mut command = runner(root, &sabotaged.map(str::to_owned));
        check(
            command.envs(environment.clone()),
            "the tests of the build with faults built in",
        )?;
    }
    say("tests");
    let mut command = runner(root, &arguments.runner);
    let code = passed(command.envs(environment))?;
    drop(postgres);
    Ok(code)
}

/// The files of this run. Afterwards they are gone, and so is every server that was started in there.
pub struct Folder(
    PathBuf,
    #[expect(dead_code, reason = "held as long as the run lasts")] File,
);

impl Folder {
    /// A new one.
    pub fn new() -> anyhow::Result<Self> {
        let runs = tools::target().join("test");
        fs::create_dir_all(&runs)?;
        for left in fs::read_dir(&runs)?.flatten().map(|entry| entry.path()) {
            // Nobody holds what a killed run left behind.
            if File::open(left.join("lock")).is_ok_and(|lock| lock.try_lock().is_ok()) {
                clear(&left);
            }
        }
        let folder = runs.join(std::process::id().to_string());
        clear(&folder);
        fs::create_dir_all(&folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.lock()?;
        Ok(Self(folder.canonicalize()?, lock))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        clear(&self.0);
    }
}

fn clear(folder: &Path) {
    cosell_testkit::reap_all(folder);
    let _ = fs::remove_dir_all(folder);
}

/// nextest where it is installed: it runs tests of all crates side by side. cargo's own runner does as well.
fn runner(root: &Path, arguments: &[String]) -> Command {
    let installed = Command::new("cargo")
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let mut command = Command::new("cargo");
    command.args(if installed {
        ["nextest", "run"].as_slice()
    } else {
        ["test", "--no-fail-fast"].as_slice()
    });
    if !arguments
        .iter()
        .any(|argument| argument == "-p" || argument == "--package")
    {
        command.arg("--workspace");
    }
    command.args(arguments).current_dir(root);
    command
}

/// The interface rules that buf knows, where Node can run it; `tests/proto_style` checks ours everywhere.
fn buf(root: &Path) -> anyhow::Result<()> {
    let (Some(node), Some(npm)) = (tools::in_path("node"), tools::in_path("npm")) else {
        say("Node is not installed: the interface is checked by tests/proto_style alone");
        return Ok(());
    };
    let folder = tools::target().join("tools/buf");
    let program = folder.join("node_modules/.bin/buf");
    if !program.exists() {
        say(&format!(
            "getting {BUF} from the npm registry (once, into target/tools)"
        ));
        fs::create_dir_all(&folder)?;
        let mut install = Command::new(npm);
        install
            .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(BUF);
        check(install.stdin(Stdio::null()).stdout(Stdio::null()), "npm install")?;
    }
    say("interface rules (buf)");
    let mut lint = Command::new(node);
    lint.arg(program.canonicalize()?)
        .args(["lint", "proto"])
        .current_dir(root);
    check(&mut lint, "buf lint")
}

fn check(command: &mut Command, what: &str) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("running {what}"))?;
    ensure!(status.success(), "{what} failed");
    Ok(())
}
