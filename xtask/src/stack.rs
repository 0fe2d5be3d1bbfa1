//! The dev environment: private PostgreSQL, NATS and mail servers, and all services in one process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use cosell_testkit::Process;
use cosell_testkit::nats::{self, Server};
use cosell_testkit::postgres::{Cluster, Durability, Programs};
use cosell_testkit::smtp::Sink;
use cosell_testkit::tools;
use rustix::process::Signal;
use serde_json::Value;

use crate::print_status;

const MAX_INSTANCES: u32 = 16;
/// The limit for the start. Seeding can take minutes on a slow machine.
const START_LIMIT: Duration = Duration::from_secs(600);

/// A folder of `target/dev`, locked by at most one dev environment.
pub struct Instance {
    pub folder: PathBuf,
    /// The operating system releases the lock when the process exits.
    _lock: File,
}

impl Instance {
    /// Locks the first free folder.
    pub fn acquire() -> anyhow::Result<Self> {
        for number in 0..MAX_INSTANCES {
            let folder = instances().join(number.to_string());
            fs::create_dir_all(&folder).context("creating target/dev")?;
            let lock = File::create(folder.join("lock"))?;
            if lock.try_lock().is_ok() {
                return Ok(Self {
                    folder: folder.canonicalize()?,
                    _lock: lock,
                });
            }
        }
        bail!("The limit of {MAX_INSTANCES} dev environments in this checkout is reached.");
    }

    /// The folder of a running dev environment, if there is one.
    pub fn find_running() -> Option<PathBuf> {
        (0..MAX_INSTANCES)
            .map(|number| instances().join(number.to_string()))
            .find(|folder| {
                let held = File::open(folder.join("lock")).is_ok_and(|lock| lock.try_lock().is_err());
                held && folder.join("state/stack.json").exists()
            })
    }
}

fn instances() -> PathBuf {
    tools::target().join("dev")
}

/// A running dev environment. Dropping it stops all processes.
pub struct Stack {
    // Dropped in this order: dependents first.
    services: Process,
    _mail: Sink,
    pub nats: Server,
    pub postgres: Cluster,
    pub instance: Instance,
    /// The content of `stack.json`.
    pub info: Value,
}

/// Options for building and running the dev environment.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct StackArguments {
    /// Build with optimisations.
    #[arg(long)]
    pub release: bool,

    /// Start with an empty database and bus.
    #[arg(long)]
    pub fresh: bool,
}

impl Stack {
    /// Builds and starts everything, and prints the progress.
    pub fn start(arguments: StackArguments, root: &Path) -> anyhow::Result<Self> {
        let programs = Programs::find(&print_status)?;
        let nats_program = nats::program(&print_status)?;
        print_status("building the services (the first build takes some minutes)");
        let program = build_services(arguments.release, root)?;

        let instance = Instance::acquire()?;
        let folder = instance.folder.clone();
        if arguments.fresh {
            for part in ["postgres", "nats", "mail", "state"] {
                let _ = fs::remove_dir_all(folder.join(part));
            }
        }
        // A killed dev environment leaves its file behind.
        let _ = fs::remove_file(folder.join("state/stack.json"));
        print_status(&format!(
            "starting PostgreSQL {} in {}",
            programs.version,
            relative_path(&folder, root)
        ));
        let postgres = Cluster::start(&programs, &folder.join("postgres"), Durability::Full)?;
        print_status("starting NATS with JetStream");
        let nats = Server::start(&nats_program, &folder.join("nats"))?;
        print_status("starting a mail server");
        let mail = Sink::start("127.0.0.1:0", Some(folder.join("mail")))?;

        print_status("creating roles and schemas, migrating, starting and seeding the services");
        let state = folder.join("state");
        let mut command = Command::new(program);
        command
            .arg("up")
            .env("COSELL_ADMIN_URL", postgres.admin_url("postgres"))
            .args(["--database-url", &postgres.url("postgres")])
            .args(["--nats-url", &nats.url()])
            .args(["--smtp-port", &mail.address().port().to_string()])
            .arg("--state")
            .arg(&state)
            // The services exit when this pipe closes, so also when this process is killed.
            .stdin(Stdio::piped());
        let mut services = Process::start("services", &mut command, &folder)?;
        let info = await_ready(&mut services, &folder)?;
        Ok(Self {
            services,
            _mail: mail,
            nats,
            postgres,
            instance,
            info,
        })
    }

    /// Whether the services have exited by themselves.
    pub fn has_ended(&mut self) -> bool {
        self.services.has_ended()
    }

    /// Stops the services gracefully; dropping stops the servers.
    pub fn stop(&mut self) {
        self.services.stop(Signal::TERM, Duration::from_secs(20));
    }

    /// A field of `stack.json`.
    pub fn text(&self, field: &str) -> &str {
        self.info[field].as_str().unwrap_or_default()
    }
}

fn await_ready(services: &mut Process, folder: &Path) -> anyhow::Result<Value> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        if let Ok(text) = fs::read_to_string(folder.join("state/stack.json")) {
            return serde_json::from_str(&text).context("stack.json");
        }
        if services.has_ended() || Instant::now() > deadline {
            let log = fs::read_to_string(folder.join("services.log")).unwrap_or_default();
            bail!("the services failed to start:\n{log}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Builds the program `cosell` and returns its path.
pub fn build_services(release: bool, root: &Path) -> anyhow::Result<PathBuf> {
    let mut command = Command::new("cargo");
    command.args(["build", "--package", "cosell"]).current_dir(root);
    if release {
        command.arg("--release");
    }
    ensure!(command.status()?.success(), "building the services failed");
    Ok(tools::target()
        .join(if release { "release" } else { "debug" })
        .join("cosell"))
}

/// A path relative to the root of the repository.
pub fn relative_path(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
