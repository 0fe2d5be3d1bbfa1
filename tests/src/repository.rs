//! Reads the files of the repository, for tests of its structure.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file.
#[derive(Clone, Debug)]
pub struct File {
    /// The path relative to the repository's root, with `/`.
    pub path: String,
    /// The whole content.
    pub text: String,
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    here.canonicalize().expect("the root of the repository")
}

/// The text of a file.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files under a folder whose names end with `end`, ordered by path.
pub fn files(folder: &str, end: &str) -> Vec<File> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                // Skips build output and folders of tools.
                if name != "target" && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if name.ends_with(end) {
                let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
                let path = path
                    .strip_prefix(&root)
                    .expect("inside")
                    .to_string_lossy()
                    .replace('\\', "/");
                found.push(File { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Fails with a list of the violations unless there are none.
#[track_caller]
pub fn assert_none(what: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{what}:\n  {}", violations.join("\n  "));
}

/// The folder of a context's service. The service of `partner` is `partner-connection`; all others share the name.
pub fn service(context: &str) -> String {
    let name = if context == "partner" {
        "partner-connection"
    } else {
        context
    };
    format!("services/{name}")
}

/// The names of all bounded contexts.
pub fn contexts() -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(root().join("proto/cosell"))
        .expect("proto/cosell")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "type")
        .collect();
    names.sort();
    names
}
