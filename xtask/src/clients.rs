//! `cargo xtask clients`: builds the packages for other programs into `target/clients`, from `proto/` and `clients/`.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use cosell_testkit::tools::{self, Platform};

use crate::print_status;
use crate::report::check;

/// The version of the packages: that of the services.
const VERSION: &str = env!("CARGO_PKG_VERSION");
pub const BUF: &str = "buf-bin==1.75.0";
/// Generators of the Python package. An older grpcio-tools generates stubs that also run beside an older protobuf.
const PYTHON: [&str; 2] = ["grpcio-tools==1.75.1", "mypy-protobuf==5.1.0"];
/// The oldest dependencies that the Python package runs with, those of its pyproject.toml.
const OLDEST_PYTHON: [&str; 3] = [
    "googleapis-common-protos==1.70.0",
    "grpcio==1.75.1",
    "protobuf==6.31.1",
];

#[derive(clap::Args)]
pub struct Arguments {
    /// The packages to build. All packages if none is given.
    #[arg(value_enum)]
    packages: Vec<Package>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Package {
    /// Descriptor sets, `cosell.binpb` with and `cosell.min.binpb` without comments.
    Descriptors,
    /// The wheel of `cosell-client`.
    Python,
}

/// Builds packages.
pub fn run(arguments: &Arguments, root: &Path) -> anyhow::Result<()> {
    let folder = create_folder()?;
    let is_wanted = |package| arguments.packages.is_empty() || arguments.packages.contains(&package);
    if is_wanted(Package::Descriptors) {
        fs::create_dir_all(folder.join("build"))?;
        build_descriptors(root, &folder)?;
    }
    if is_wanted(Package::Python) {
        let wheel = build_wheel(root, &folder)?;
        copy_built(&wheel, &folder)?;
    }
    Ok(())
}

/// Installs the packages for tests, each with its newest and with its oldest dependencies, and returns the folder.
pub fn install(root: &Path) -> anyhow::Result<PathBuf> {
    let wheel = build_wheel(root, &create_folder()?)?;
    let wheel = wheel.to_string_lossy();
    let newest = [&*wheel];
    let oldest: Vec<_> = newest.into_iter().chain(OLDEST_PYTHON).collect();
    tools::install_wheels("client-oldest", &oldest, Platform::ThisPython, &print_status)?;
    let installed = tools::install_wheels("client-newest", &newest, Platform::ThisPython, &print_status)?;
    Ok(installed.parent().context("no folder of the tools")?.to_owned())
}

fn create_folder() -> anyhow::Result<PathBuf> {
    let folder = tools::target().join("clients");
    fs::create_dir_all(&folder).context("creating target/clients")?;
    Ok(folder.canonicalize()?)
}

/// Runs buf.
pub fn buf() -> anyhow::Result<Command> {
    let folder = tools::install_wheels("buf", &[BUF], Platform::AnyPython, &print_status)?;
    let program = tools::find(&folder, "buf").context("the wheel does not contain buf")?;
    Ok(Command::new(program))
}

fn build_descriptors(root: &Path, folder: &Path) -> anyhow::Result<()> {
    for (name, options) in [
        ("cosell.binpb", &[][..]),
        ("cosell.min.binpb", &["--exclude-source-info"]),
    ] {
        let path = folder.join("build").join(name);
        let mut command = buf()?;
        command
            .args(["build", "proto", "--as-file-descriptor-set"])
            .args(options)
            .arg("--output")
            .arg(&path)
            .current_dir(root);
        check(&mut command)?;
        copy_built(&path, folder)?;
    }
    Ok(())
}

/// Builds the wheel, unless there is one of the same files, and returns its path.
fn build_wheel(root: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let files = [
        root.join("proto"),
        root.join("clients/python"),
        root.join("LICENSE"),
    ];
    let built = folder
        .join("build")
        .join(hash(&files, &[&PYTHON[..], &[BUF, VERSION]].concat())?);
    let wheel = built.join(format!("cosell_client-{VERSION}-py3-none-any.whl"));
    if wheel.exists() {
        return Ok(wheel);
    }
    let generators = tools::install_wheels("python-client", &PYTHON, Platform::ThisPython, &print_status)?;
    let build = folder.join("build/python");
    copy_package(root, "python", &build)?;
    generate_stubs(root, &generators, &build)?;
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ])
    .arg("--wheel-dir")
    .arg(built)
    .arg(&build);
    check(&mut pip)?;
    Ok(wheel)
}

/// Generates messages, stubs and their types.
fn generate_stubs(root: &Path, generators: &Path, build: &Path) -> anyhow::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "where programs are has no argument")]
    let programs = std::env::var_os("PATH").unwrap_or_default();
    let path = [generators.join("bin")]
        .into_iter()
        .chain(std::env::split_paths(&programs));
    let path = std::env::join_paths(path)?;
    let mut generate = buf()?;
    generate
        .args([
            "generate",
            "--template",
            "clients/python/buf.gen.yaml",
            "--output",
        ])
        .arg(build)
        .env("PYTHONPATH", generators)
        .env("PATH", path)
        .current_dir(root);
    check(&mut generate)?;
    // buf does not know this generator. It reads the definitions themselves, of which the stubs contain nothing else.
    let mut stubs = Command::new("python3");
    stubs
        .args(["-m", "grpc_tools.protoc", "--proto_path=proto"])
        .arg(format!("--grpc_python_out={}", build.display()))
        .args(files_with_services(root)?)
        .env("PYTHONPATH", generators)
        .current_dir(root);
    check(&mut stubs)?;
    remove_empty_stubs(&build.join("cosell"))
}

/// A hash of these files, of all files in these folders, and of the versions of the generators.
fn hash(folders: &[PathBuf], versions: &[&str]) -> anyhow::Result<String> {
    let mut hasher = DefaultHasher::new();
    versions.hash(&mut hasher);
    let mut waiting = folders.to_vec();
    while let Some(path) = waiting.pop() {
        path.hash(&mut hasher);
        if path.is_dir() {
            let mut entries = fs::read_dir(&path)?
                .map(|entry| Ok(entry?.path()))
                .collect::<anyhow::Result<Vec<_>>>()?;
            entries.sort();
            waiting.append(&mut entries);
        } else {
            fs::read(&path)?.hash(&mut hasher);
        }
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Copies the files of a package, with the version and the licence.
fn copy_package(root: &Path, name: &str, build: &Path) -> anyhow::Result<()> {
    if build.exists() {
        fs::remove_dir_all(build)?;
    }
    copy_folder(&root.join("clients").join(name), build)?;
    fs::copy(root.join("LICENSE"), build.join("LICENSE"))?;
    let description = build.join("pyproject.toml");
    let text = fs::read_to_string(&description)?;
    fs::write(
        &description,
        text.replace("version = \"0\"", &format!("version = \"{VERSION}\"")),
    )?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The definitions that have services, relative to `proto/`.
fn files_with_services(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let proto = root.join("proto");
    let mut files = Vec::new();
    for context in fs::read_dir(proto.join("cosell"))? {
        for file in fs::read_dir(context?.path().join("v1"))? {
            let path = file?.path();
            let is_service = fs::read_to_string(&path)?
                .lines()
                .any(|line| line.starts_with("service "));
            if is_service {
                files.push(path.strip_prefix(&proto)?.to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Removes the types of stubs without services, and marks the folders as typed.
fn remove_empty_stubs(cosell: &Path) -> anyhow::Result<()> {
    for context in fs::read_dir(cosell)? {
        let context = context?.path();
        for file in fs::read_dir(context.join("v1"))? {
            let path = file?.path();
            if path.to_string_lossy().ends_with("_pb2_grpc.pyi") && !path.with_extension("py").exists() {
                fs::remove_file(path)?;
            }
        }
        fs::write(context.join("py.typed"), "")?;
    }
    Ok(())
}

/// Copies a package into the folder of all, and prints its size.
fn copy_built(path: &Path, folder: &Path) -> anyhow::Result<()> {
    let name = path.file_name().unwrap_or_default();
    let size = fs::copy(path, folder.join(name)).with_context(|| path.display().to_string())?;
    let name = name.to_string_lossy();
    print_status(&format!("target/clients/{name}: {} KiB", size.div_ceil(1024)));
    Ok(())
}
