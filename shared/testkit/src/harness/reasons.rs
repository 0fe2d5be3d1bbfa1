//! Compares refusals with the documentation of their reasons: code and example in the comment of each enum value.
//! `Refusal` calls it for every refused call of a test. `cargo xtask test` reports documented reasons that no test has
//! provoked.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use serde_json::Value;

use super::{Refusal, environment};

/// The documented form of a reason.
struct Documented {
    /// The name of the gRPC code, such as `NOT_FOUND`.
    code: String,
    /// The keys of the example's metadata.
    keys: BTreeSet<String>,
}

/// The documented reasons, keyed by domain and reason.
static DOCUMENTED: LazyLock<HashMap<(String, String), Documented>> = LazyLock::new(|| {
    let set = FileDescriptorSet::decode(cosell_proto::DESCRIPTORS).expect("descriptors");
    set.file.iter().flat_map(reasons).collect()
});

fn reasons(file: &FileDescriptorProto) -> Vec<((String, String), Documented)> {
    let enums = file.enum_type.iter().enumerate();
    let Some((index, _)) = enums.clone().find(|(_, list)| list.name() == "ErrorReason") else {
        return Vec::new();
    };
    let comments = file.source_code_info.iter().flat_map(|info| &info.location);
    comments
        .filter(|location| {
            // Field 5 of a file contains its enums, field 2 of an enum its values.
            matches!(location.path.as_slice(), [5, list, 2, _] if usize::try_from(*list) == Ok(index))
        })
        .filter_map(|location| parse(location.leading_comments()))
        .collect()
}

/// Parses a comment such as `NOT_FOUND: the record does not exist.`, followed by an example in JSON.
fn parse(comment: &str) -> Option<((String, String), Documented)> {
    let example: Value = serde_json::from_str(&comment[comment.find('{')?..]).expect("an example in JSON");
    let text = |name: &str| example[name].as_str().expect(name).to_owned();
    let documented = Documented {
        code: comment.trim_start().split(':').next()?.to_owned(),
        keys: match example["metadata"].as_object() {
            Some(metadata) => metadata.keys().cloned().collect(),
            None => BTreeSet::new(),
        },
    };
    Some(((text("domain"), text("reason")), documented))
}

/// Fails if code or metadata keys of a refusal differ from the documented example of its reason.
#[track_caller]
pub(super) fn check(refusal: &Refusal) {
    if refusal.reason.is_empty() {
        return;
    }
    let key = (refusal.domain.clone(), refusal.reason.clone());
    let documented = DOCUMENTED
        .get(&key)
        .unwrap_or_else(|| panic!("undocumented reason: {refusal:#?}"));
    let code = format!("{:?}", refusal.code).to_lowercase();
    let keys: BTreeSet<_> = refusal.metadata.keys().cloned().collect();
    assert!(
        code == documented.code.to_lowercase().replace('_', "") && keys == documented.keys,
        "documented as {} with metadata {:?}, but was {refusal:#?}",
        documented.code,
        documented.keys
    );
    mark_provoked(&key.0, &key.1);
}

/// Writes a file for the reason; `cargo xtask test` reports the reasons without a file.
fn mark_provoked(domain: &str, reason: &str) {
    if let Some(folder) = environment::find(environment::FOLDER) {
        let folder = Path::new(&folder).join("provoked").join(domain);
        fs::create_dir_all(&folder).expect("a folder under target/");
        fs::write(folder.join(reason), "").expect("a file under target/");
    }
}
