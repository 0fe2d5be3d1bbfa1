use std::fmt;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use cosell::StackInfo;
use cosell::demo::Person;
use cosell_testkit::harness::{PATIENCE, eventually};
use cosell_testkit::{Process, free_port};
use rustix::process::Signal;
use tonic::transport::{Channel, Endpoint};

use crate::World;

/// All services in a process of their own, which a test may kill.
pub struct Child {
    /// Where and for whom.
    pub info: StackInfo,
    process: Process,
    log: PathBuf,
}

impl Child {
    /// An address that a process and those that follow it can have.
    pub fn address() -> SocketAddr {
        let port = free_port().expect("a free port");
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    /// Starts a program on a world and waits until it serves.
    pub async fn start(
        program: &str,
        world: &World,
        listen: SocketAddr,
        environment: &[(&str, &str)],
    ) -> Self {
        match Self::try_start(program, world, listen, environment).await {
            Ok(child) => child,
            Err(ended) => panic!("the process ended before it served: {ended}"),
        }
    }

    /// The same for a process that may end before it serves, as one does that comes to a crash point with what another
    /// has left undone.
    pub async fn try_start(
        program: &str,
        world: &World,
        listen: SocketAddr,
        environment: &[(&str, &str)],
    ) -> Result<Self, Ended> {
        let (args, file) = (world.args(), world.state().join("stack.json"));
        // What a killed one left behind.
        let _ = std::fs::remove_file(&file);
        let mut command = Command::new(program);
        command
            .arg("up")
            .env("COSELL_ADMIN_URL", &args.admin_url)
            .args(["--database-url", &args.database_url])
            .args(["--nats-url", &args.nats_url])
            .args(["--smtp-port", &args.smtp_port.to_string()])
            .arg("--state")
            .arg(&args.state)
            .args(["--listen", &listen.to_string()])
            .envs(environment.iter().copied())
            // Ends with this process, however that ends.
            .stdin(Stdio::piped());
        let name = format!("cosell-{}", cosell_types::random::prefixed("up"));
        let mut process = Process::start(&name, &mut command, world.folder()).expect("a process");
        let log = world.folder().join(format!("{name}.log"));
        let info = eventually(async || match (read(&file), process.ended()) {
            (Ok(info), _) => Ok(Ok(info)),
            (Err(_), Some(status)) => Ok(Err(Ended {
                status,
                log: text(&log),
            })),
            (Err(error), None) => Err(format!("{error}\n{}", text(&log))),
        })
        .await?;
        Ok(Self { info, process, log })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Calls, without a token.
    pub fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(self.info.address.clone()).expect("an address");
        endpoint.connect_lazy()
    }

    /// A seeded member.
    pub fn person(&self, id: &str) -> Person {
        Person::new(&self.channel(), &self.info.tokens, id).expect("a seeded member")
    }

    /// Kills it without notice.
    pub fn kill(mut self) {
        self.process.stop(Signal::KILL, Duration::from_secs(5));
    }

    /// Asks it to end, and returns what it logged.
    pub fn stop(mut self) -> String {
        self.process.stop(Signal::TERM, PATIENCE);
        text(&self.log)
    }

    /// How it has ended by itself; none while it runs.
    pub fn ended(&mut self) -> Option<Ended> {
        let status = self.process.ended()?;
        Some(Ended {
            status,
            log: text(&self.log),
        })
    }
}

/// How a process has ended by itself.
#[derive(Debug)]
pub struct Ended {
    status: ExitStatus,
    log: String,
}

impl Ended {
    /// Fails unless it was at a crash point, which aborts.
    pub fn at_crash_point(&self) {
        let abort = Signal::ABORT.as_raw();
        assert_eq!(self.status.signal(), Some(abort), "it ended by itself: {self}");
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.status, self.log)
    }
}

fn read(file: &Path) -> anyhow::Result<StackInfo> {
    Ok(serde_json::from_slice(&std::fs::read(file)?)?)
}

fn text(log: &Path) -> String {
    std::fs::read_to_string(log).unwrap_or_default()
}
