//! Compares refusals with the documentation of their reasons: the code and the example in the comment of each enum value.
//! `Refusal` calls it for every refused call of every test. Which reasons were provoked is checked by `cargo xtask test`.

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

/// By domain and reason.
static DOCUMENTED: LazyLock<HashMap<(String, String), Documented>> = LazyLock::new(|| {
    let set = FileDescriptorSet::decode(cosell_proto::DESCRIPTORS).expect("descriptors");
    set.file.iter().flat_map(reasons).collect()
});

fn reasons(file: &FileDescriptorProto) -> Vec<((String, String), Documented)> {
    let enums = file.enum_type.iter().enumerate();
    let Some((at, _)) = enums.clone().find(|(_, list)| list.name() == "ErrorReason") else {
        return Vec::new();
    };
    let comments = file.source_code_info.iter().flat_map(|info| &info.location);
    comments
        .filter(|location| {
            // Field 5 of a file are its enums, field 2 of an enum its values.
            matches!(location.path.as_slice(), [5, list, 2, _] if usize::try_from(*list) == Ok(at))
        })
        .filter_map(|location| read(location.leading_comments()))
        .collect()
}

/// `NOT_FOUND: no such record.` and then an example as JSON.
fn read(comment: &str) -> Option<((String, String), Documented)> {
    let example: Value = serde_json::from_str(&comment[comment.find('{')?..]).expect("an example is JSON");
    let text = |name: &str| example[name].as_str().expect(name).to_owned();
    let documented = Documented {
        code: comment.trim_start().split(':').next()?.to_owned(),
        keys: match example["metadata"].as_object() {
            Some(facts) => facts.keys().cloned().collect(),
            None => BTreeSet::new(),
        },
    };
    Some(((text("domain"), text("reason")), documented))
}

/// Fails where code or metadata keys of a refusal differ from the documented example of its reason.
#[track_caller]
pub(super) fn check(refusal: &Refusal) {
    if refusal.reason.is_empty() {
        return;
    }
    let of = (refusal.domain.clone(), refusal.reason.clone());
    let documented = DOCUMENTED
        .get(&of)
        .unwrap_or_else(|| panic!("no definition has {refusal:#?}"));
    let code = format!("{:?}", refusal.code).to_lowercase();
    let keys: BTreeSet<_> = refusal.metadata.keys().cloned().collect();
    assert!(
        code == documented.code.to_lowercase().replace('_', "") && keys == documented.keys,
        "documented as {} with {:?}, sent was {refusal:#?}",
        documented.code,
        documented.keys
    );
    mark_provoked(&of.0, &of.1);
}

/// Leaves a file for the reason: at its end `cargo xtask test` names those without one.
fn mark_provoked(domain: &str, reason: &str) {
    if let Some(folder) = environment::find(environment::FOLDER) {
        let folder = Path::new(&folder).join("provoked").join(domain);
        fs::create_dir_all(&folder).expect("a folder under target/");
        fs::write(folder.join(reason), "").expect("a file under target/");
    }
}
