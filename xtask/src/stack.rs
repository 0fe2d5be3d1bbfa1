//! The development stack: PostgreSQL, NATS and a mail server of its own, and all services in one process.

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

use crate::say;

const MOST_INSTANCES: u32 = 16;
/// Only guards against waiting for ever: on a slow machine the services seed for minutes.
const START_LIMIT: Duration = Duration::from_secs(600);

/// A folder of `target/dev`, held by at most one running stack.
pub struct Instance {
    pub folder: PathBuf,
    /// Held as long as the process lives, and freed by the system however it ends.
    _lock: File,
}

impl Instance {
    /// The first that no other stack holds.
    pub fn free() -> anyhow::Result<Self> {
        for number in 0..MOST_INSTANCES {
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
        bail!("{MOST_INSTANCES} stacks are running in this checkout already");
    }

    /// The folder of a running stack, if there is one.
    pub fn running() -> Option<PathBuf> {
        (0..MOST_INSTANCES)
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

/// A running stack. Everything ends when it is dropped.
pub struct Stack {
    // In this order they are dropped: those that need others first.
    services: Process,
    _mail: Sink,
    pub nats: Server,
    pub postgres: Cluster,
    pub instance: Instance,
    /// The content of `stack.json`.
    pub info: Value,
}

/// How to build and run it.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct StackArguments {
    /// Build with optimisations.
    #[arg(long)]
    pub release: bool,

    /// Begin with an empty database and bus.
    #[arg(long)]
    pub fresh: bool,
}

impl Stack {
    /// Builds and starts everything, and says what it does.
    pub fn start(arguments: StackArguments, root: &Path) -> anyhow::Result<Self> {
        let programs = Programs::find(&say)?;
        let nats_program = nats::program(&say)?;
        say("building the services (the first time takes some minutes)");
        let program = build(arguments.release, root)?;

        let instance = Instance::free()?;
        let folder = instance.folder.clone();
        if arguments.fresh {
            for part in ["postgres", "nats", "mail", "state"] {
                let _ = fs::remove_dir_all(folder.join(part));
            }
        }
        // What an earlier stack left behind when it was killed.
        let _ = fs::remove_file(folder.join("state/stack.json"));
        say(&format!(
            "starting PostgreSQL {} in {}",
            programs.version,
            short(&folder, root)
        ));
        let postgres = Cluster::start(&programs, &folder.join("postgres"), Durability::Full)?;
        say("starting NATS with JetStream");
        let nats = Server::start(&nats_program, &folder.join("nats"))?;
        say("starting a mail server");
        let mail = Sink::start("127.0.0.1:0", Some(folder.join("mail")))?;

        say("creating roles and schemas, migrating, seeding, starting the services");
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
            // The services end when this pipe does, so also when this process is killed.
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

    /// Whether the services have ended by themselves.
    pub fn has_ended(&mut self) -> bool {
        self.services.has_ended()
    }

    /// Ends the services in order; the rest follows when the stack is dropped.
    pub fn stop(&mut self) {
        self.services.stop(Signal::TERM, Duration::from_secs(20));
    }

    /// A field of `stack.json`.
    pub fn text(&self, field: &str) -> &str {
        self.info[field].as_str().unwrap_or_default()
    }
}

fn await_ready(services: &mut Process, folder: &Path) -> anyhow::Result<Value> {
    let until = Instant::now() + START_LIMIT;
    loop {
        if let Ok(text) = fs::read_to_string(folder.join("state/stack.json")) {
            return serde_json::from_str(&text).context("stack.json");
        }
        if services.has_ended() || Instant::now() > until {
            let log = fs::read_to_string(folder.join("services.log")).unwrap_or_default();
            bail!("the services did not start:\n{log}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Builds the program `cosell` and returns where it is.
pub fn build(release: bool, root: &Path) -> anyhow::Result<PathBuf> {
    let mut command = Command::new("cargo");
    command.args(["build", "--package", "cosell"]).current_dir(root);
    if release {
        command.arg("--release");
    }
    ensure!(command.status()?.success(), "the services do not build");
    Ok(tools::target()
        .join(if release { "release" } else { "debug" })
        .join("cosell"))
}

/// A path as seen from the checkout.
pub fn short(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
