//! Child processes that are stopped by their own process id when dropped. Those of killed runs are reaped later.

use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, geteuid, kill_process};

/// A running child process. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts a command. `folder` receives its output and a file with its process id, so that a later run can reap it
    /// if this one is killed. It runs in its own process group, so that Ctrl-C in the terminal does not reach it.
    pub fn start(name: &str, command: &mut Command, folder: &Path) -> anyhow::Result<Self> {
        let log = File::create(folder.join(format!("{name}.log"))).context("creating the log file")?;
        command.stdout(log.try_clone()?).stderr(log).process_group(0);
        let child = command.spawn().with_context(|| format!("starting {name}"))?;
        std::fs::write(folder.join(format!("{name}.pid")), child.id().to_string())?;
        Ok(Self {
            child,
            name: name.to_owned(),
        })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .context("converting the process id")?;
        kill_process(pid, signal).with_context(|| format!("signalling {}", self.name))
    }

    /// Whether the process has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// The exit status of the process; `None` while it is running.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends a signal that requests termination, and kills the process if it has not ended within the time limit.
    pub fn stop(&mut self, signal: Signal, within: Duration) {
        if self.has_ended() || self.signal(signal).is_err() {
            let _ = self.child.wait();
            return;
        }
        let until = Instant::now() + within;
        while !self.has_ended() {
            if Instant::now() > until {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ports that the kernel does not give to outgoing connections, of which tests make thousands.
const PORTS: RangeInclusive<u16> = 10_000..=32_000;

/// A port of the loopback interface that is free now. Another test may take it before use, though hardly ever.
pub fn free_port() -> io::Result<u16> {
    let count = PORTS.len();
    let random = RandomState::new().build_hasher().finish();
    let first = usize::try_from(random % count as u64).unwrap_or_default();
    let mut ports = PORTS.skip(first).chain(PORTS).take(count);
    ports
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .ok_or_else(|| io::ErrorKind::AddrInUse.into())
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    geteuid().is_root()
}

/// Kills processes that an earlier run left running in a folder. Because process ids are reused, only a process whose
/// command line contains the folder is killed.
pub fn reap(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| has_extension(path, "pid"))
    {
        let pid = std::fs::read_to_string(&path)
            .ok()
            .and_then(|text| text.trim().parse::<i32>().ok());
        if let Some(pid) = pid
            .filter(|pid| command_line_contains(*pid, folder))
            .and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, Signal::KILL);
            let until = Instant::now() + Duration::from_secs(5);
            while command_line_contains(pid.as_raw_nonzero().get(), folder) && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let _ = std::fs::remove_file(path);
    }
}

/// Reaps the processes of a folder and all its subfolders.
pub fn reap_all(folder: &Path) {
    reap(folder);
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            reap_all(&entry.path());
        }
    }
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|actual| actual == extension)
}

fn command_line_contains(pid: i32, folder: &Path) -> bool {
    let line =
        std::fs::read(PathBuf::from("/proc").join(pid.to_string()).join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains(&*folder.to_string_lossy())
}
