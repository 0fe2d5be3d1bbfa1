use std::fmt;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use cosell::StackInfo;
use cosell::demo::MemberClient;
use cosell_testkit::harness::{PATIENCE, eventually};
use cosell_testkit::{Process, free_port};
use rustix::process::Signal;
use tonic::transport::{Channel, Endpoint};

use crate::TestServers;

/// All services in a child process, which a test may kill.
pub struct ServiceProcess {
    /// The content of the process's `stack.json`: addresses and tokens.
    pub info: StackInfo,
    process: Process,
    log: PathBuf,
}

impl ServiceProcess {
    /// A free local address, which a process and its successors can listen on.
    pub fn address() -> SocketAddr {
        let port = free_port().expect("a free port");
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    /// Starts `program` on the given servers and waits until it serves.
    pub async fn start(
        program: &str,
        servers: &TestServers,
        listen: SocketAddr,
        environment: &[(&str, &str)],
    ) -> Self {
        match Self::try_start(program, servers, listen, environment).await {
            Ok(child) => child,
            Err(exit) => panic!("the process exited before it served: {exit}"),
        }
    }

    /// Like [`start`](Self::start), for a process that may exit before it serves: it can reach a crash point while it
    /// processes work that its predecessor left pending.
    pub async fn try_start(
        program: &str,
        servers: &TestServers,
        listen: SocketAddr,
        environment: &[(&str, &str)],
    ) -> Result<Self, ProcessExit> {
        let (args, file) = (servers.args(), servers.state().join("stack.json"));
        // A killed process leaves its file behind.
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
            // The child exits when this pipe closes, so also when the test process is killed.
            .stdin(Stdio::piped());
        let name = format!("cosell-{}", cosell_types::random::prefixed("up"));
        let mut process = Process::start(&name, &mut command, servers.folder()).expect("a process");
        let log = servers.folder().join(format!("{name}.log"));
        let info = eventually(async || match (read_stack_info(&file), process.ended()) {
            (Ok(info), _) => Ok(Ok(info)),
            (Err(_), Some(status)) => Ok(Err(ProcessExit {
                status,
                log: read_log(&log),
            })),
            (Err(error), None) => Err(format!("{error}\n{}", read_log(&log))),
        })
        .await?;
        Ok(Self { info, process, log })
    }

    /// The size of the log in bytes.
    pub fn log_size(&self) -> std::io::Result<u64> {
        Ok(std::fs::metadata(&self.log)?.len())
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// A channel to the services, without a token.
    pub fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(self.info.address.clone()).expect("an address");
        endpoint.connect_lazy()
    }

    /// A client that calls as a seeded member.
    pub fn member(&self, id: &str) -> MemberClient {
        MemberClient::new(&self.channel(), &self.info.tokens, id).expect("a seeded member")
    }

    /// Kills the process with SIGKILL.
    pub fn kill(mut self) {
        self.process.stop(Signal::KILL, Duration::from_secs(5));
    }

    /// Stops the process with SIGTERM and returns its log.
    pub fn stop(mut self) -> String {
        self.process.stop(Signal::TERM, PATIENCE);
        read_log(&self.log)
    }

    /// How the process exited by itself; `None` while it runs.
    pub fn exit(&mut self) -> Option<ProcessExit> {
        let status = self.process.ended()?;
        Some(ProcessExit {
            status,
            log: read_log(&self.log),
        })
    }
}

/// The exit of a process that was not stopped by the test.
#[derive(Debug)]
pub struct ProcessExit {
    status: ExitStatus,
    log: String,
}

impl ProcessExit {
    /// Fails unless the process aborted, as it does at a crash point.
    pub fn assert_crash_point(&self) {
        let abort = Signal::ABORT.as_raw();
        assert_eq!(
            self.status.signal(),
            Some(abort),
            "the process exited without reaching a crash point: {self}"
        );
    }
}

impl fmt::Display for ProcessExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.status, self.log)
    }
}

fn read_stack_info(file: &Path) -> anyhow::Result<StackInfo> {
    Ok(serde_json::from_slice(&std::fs::read(file)?)?)
}

fn read_log(log: &Path) -> String {
    std::fs::read_to_string(log).unwrap_or_default()
}
