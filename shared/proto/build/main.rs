//! Compiles `proto/` without `protoc`: messages, stubs, validators from the `buf.validate` rules, and a `Debug` that
//! redacts fields marked `(cosell.type.v1.personal)`.

mod codegen;
mod rules;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost_reflect::DescriptorPool;

/// Prefixes of the packages for which Rust code is generated; the others are only in the descriptor set.
const GENERATED: [&str; 4] = ["cosell.", "google.longrunning", "google.rpc", "google.type"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../proto")
        .canonicalize()?;
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo passes the output folder to a build script only in the environment"
    )]
    let out = PathBuf::from(env::var("OUT_DIR")?);
    #[expect(
        clippy::print_stdout,
        reason = "cargo reads the instructions of a build script from standard output"
    )]
    {
        println!("cargo:rerun-if-changed={}", root.display());
    }

    let mut compiler = protox::Compiler::new([&root])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(proto_files(&root)?)?;
    // Encoded from the compiler's own pool, which preserves the custom options for reflection and for the rules.
    let encoded = compiler.encode_file_descriptor_set();
    fs::write(out.join("descriptors.bin"), &encoded)?;

    let mut generated = compiler.file_descriptor_set();
    generated
        .file
        .retain(|file| is_generated(file.package()) || file.package() == "google.protobuf");
    let mut config = tonic_prost_build::Config::new();
    config
        .skip_debug(["."])
        .enable_type_names()
        .type_name_domain(["."], "type.googleapis.com");
    tonic_prost_build::configure()
        .include_file("modules.rs")
        .compile_fds_with_config(generated, config)?;

    let pool = DescriptorPool::decode(encoded.as_slice())?;
    fs::write(out.join("impls.rs"), codegen::generate(&pool)?)?;
    Ok(())
}

fn is_generated(package: &str) -> bool {
    GENERATED.iter().any(|prefix| package.starts_with(prefix))
}

fn proto_files(root: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
