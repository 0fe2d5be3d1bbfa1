//! Finds circles of imports between the files of a crate.

use std::collections::{BTreeMap, BTreeSet};

use cosell_tests::repository::{File, assert_none, files};
use regex::Regex;

/// The path of a module in its crate: `api/get_lead.rs` is `[api, get_lead]`, `lib.rs` is `[]`.
type Module = Vec<String>;

/// Files that import each other, directly or through others, cannot be read one after the other. A file and the `mod.rs`
/// of its own folder, or `lib.rs`, may: a module and its parts are read together. For the same reason an item that the
/// `mod.rs` re-exports counts as the `mod.rs`'s: aggregates of one `domain/` may name each other.
#[test]
fn imports_between_files_form_no_circle() {
    let mut circles = Vec::new();
    let mut sources: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for folder in ["services", "shared", "tests", "xtask"] {
        for file in files(folder, ".rs") {
            if let Some((source, _)) = file.path.split_once("/src/") {
                sources.entry(source.to_owned()).or_default().push(file);
            }
        }
    }
    for (source, files) in sources {
        circles.extend(circles_of(&source, &files));
    }
    assert_none("circles of imports", &circles);
}

fn circles_of(source: &str, files: &[File]) -> Vec<String> {
    let modules: BTreeMap<Module, &File> = files.iter().map(|file| (module(source, file), file)).collect();
    let imports: BTreeMap<&Module, BTreeSet<&Module>> = modules
        .iter()
        .map(|(module, file)| (module, imports(module, &file.text, &modules)))
        .collect();
    let mut circles = BTreeSet::new();
    for start in modules.keys() {
        let reached = reachable(start, &imports);
        let circle: BTreeSet<_> = reached
            .iter()
            .filter(|other| reachable(other, &imports).contains(start))
            .map(|other| format!("{}.rs", other.join("/")))
            .collect();
        if !circle.is_empty() {
            circles.insert(format!(
                "{source}: {}",
                circle.into_iter().collect::<Vec<_>>().join(", ")
            ));
        }
    }
    circles.into_iter().collect()
}

fn module(source: &str, file: &File) -> Module {
    let path = file
        .path
        .trim_start_matches(&format!("{source}/src/"))
        .trim_end_matches(".rs");
    let mut parts: Module = path.split('/').map(str::to_owned).collect();
    if parts
        .last()
        .is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str()))
    {
        parts.pop();
    }
    parts
}

/// The modules that a file names in `use` declarations and in paths, but for those that it is part of.
fn imports<'a>(own: &Module, text: &str, modules: &'a BTreeMap<Module, &File>) -> BTreeSet<&'a Module> {
    let comment = Regex::new(r"//[^\n]*").expect("a pattern");
    let text = comment.replace_all(text, "");
    let declaration = Regex::new(r"(?s)\buse\s+([^;]+);").expect("a pattern");
    let path = Regex::new(r"\b(?:crate|super|self)(?:::\w+)+").expect("a pattern");
    let mut paths = Vec::new();
    for found in declaration.captures_iter(&text) {
        expand("", &found[1].split_whitespace().collect::<String>(), &mut paths);
    }
    paths.extend(path.find_iter(&text).map(|found| found.as_str().to_owned()));
    paths
        .iter()
        .filter_map(|path| resolve(own, path, modules))
        .filter(|target| !own.starts_with(target.as_slice()))
        .collect()
}

/// All paths of a use tree: `a::{b, c::{d}}` is `a::b` and `a::c::d`.
fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let Some((head, rest)) = tree.split_once('{') else {
        paths.push(format!("{prefix}{tree}"));
        return;
    };
    let prefix = format!("{prefix}{head}");
    let inner = rest.strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in inner.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&prefix, &inner[start..at], paths);
                start = at + 1;
            }
            _ => {}
        }
    }
    expand(&prefix, &inner[start..], paths);
}

/// The file that a path leads into: that of its longest beginning that is a module.
fn resolve<'a>(own: &Module, path: &str, modules: &'a BTreeMap<Module, &File>) -> Option<&'a Module> {
    let mut at = own.clone();
    let mut names = path.split("::").peekable();
    match names.peek().copied() {
        Some("crate") => {
            names.next();
            at.clear();
        }
        Some("self") => {
            names.next();
        }
        Some("super") => {
            while names.next_if_eq(&"super").is_some() {
                at.pop();
            }
        }
        // A path of 2018 may begin with a child of this module.
        Some(name) if modules.contains_key(&[own.as_slice(), &[name.to_owned()]].concat()) => {}
        _ => return None,
    }
    for name in names {
        at.push(name.to_owned());
        if !modules.contains_key(&at) {
            at.pop();
            break;
        }
    }
    modules.get_key_value(&at).map(|(module, _)| module)
}

fn reachable<'a>(
    start: &Module,
    imports: &BTreeMap<&'a Module, BTreeSet<&'a Module>>,
) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<_> = imports.get(start).into_iter().flatten().copied().collect();
    while let Some(module) = open.pop() {
        if reached.insert(module) {
            open.extend(imports.get(module).into_iter().flatten().copied());
        }
    }
    reached
}

#[test]
fn circle_of_two_files_is_found() {
    let file = |path: &str, text: &str| File {
        path: format!("a/src/{path}"),
        text: text.to_owned(),
    };
    let files = [
        file("lib.rs", "mod b;\nmod c;\nmod d;"),
        file("b.rs", "use crate::c::{self, X};"),
        file("c.rs", "fn f() { crate::b::g() }"),
        file("d/mod.rs", "mod e;\npub use e::E;"),
        file("d/e.rs", "use super::F;\nuse crate::b::B;"),
    ];
    assert_eq!(circles_of("a", &files), ["a: b.rs, c.rs"]);
}
