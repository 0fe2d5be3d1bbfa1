//! Replays the corpus of the fuzz targets with the compiler of the workspace, and checks that targets, programs and
//! folders of the corpus correspond.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use cosell_fuzz_targets::{EVENT_TYPES, TARGETS};
use prost_reflect::DescriptorPool;

/// The minimum number of files of a target.
const MIN_SEEDS: usize = 15;
/// The maximum number of files of a target, and of bytes of all: a seed is a case of its own, not what a run has found.
const MAX_SEEDS: usize = 60;
const MAX_BYTES: usize = 200 * 1024;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// The names of the entries of a folder, ordered.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names: BTreeSet<_> = names.map(|name| name.into_string().expect("a text")).collect();
    names.into_iter().collect()
}

/// Fails with the names of the files of a target that violate a property of it.
fn replay(name: &str) {
    let (_, target) = TARGETS
        .into_iter()
        .find(|(target, _)| *target == name)
        .expect("a target");
    let folder = fuzz().join("corpus").join(name);
    let mut failed = Vec::new();
    for file in names(&folder) {
        let data = fs::read(folder.join(&file)).expect("a file");
        if catch_unwind(|| target(&data)).is_err() {
            failed.push(format!("tests/fuzz/corpus/{name}/{file}"));
        }
    }
    assert!(
        failed.is_empty(),
        "files that violate a property, whose messages are above:\n  {}",
        failed.join("\n  ")
    );
}

macro_rules! replays {
    ($($test:ident: $target:literal,)+) => {
        $(
            #[test]
            fn $test() {
                replay($target);
            }
        )+

        const REPLAYED: &[&str] = &[$($target),+];
    };
}

replays! {
    chn_020_corpus_of_callbacks_violates_no_property: "callback",
    chn_031_corpus_of_channel_links_violates_no_property: "channel_link",
    opp_080_corpus_of_tables_violates_no_property: "csv",
    dir_050_corpus_of_directory_lists_violates_no_property: "directory_list",
    plt_009_corpus_of_events_violates_no_property: "event",
    opp_080_corpus_of_json_lines_violates_no_property: "json_lines",
    acc_003_corpus_of_key_sets_violates_no_property: "key_set",
    plt_006_corpus_of_masks_violates_no_property: "mask",
    opp_016_corpus_of_amounts_violates_no_property: "money",
    plt_005_corpus_of_page_tokens_violates_no_property: "page_token",
    opp_014_corpus_of_postal_codes_violates_no_property: "postal_code",
    opp_046_corpus_of_reference_lists_violates_no_property: "reference_list",
    corpus_of_times_violates_no_property: "time",
    acc_003_corpus_of_tokens_violates_no_property: "token",
    not_008_corpus_of_unsubscribe_forms_violates_no_property: "unsubscribe_form",
    not_008_corpus_of_unsubscribe_links_violates_no_property: "unsubscribe_link",
}

#[test]
fn each_target_has_a_program_a_replay_and_a_small_corpus() {
    let fuzz = fuzz();
    let expected: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&fuzz.join("corpus")), expected);
    assert_eq!(REPLAYED, expected);
    let programs: Vec<_> = expected.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&fuzz.join("fuzz_targets")), programs);
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).expect("a manifest");
    let mut bytes = 0;
    for name in expected {
        let program = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"");
        assert!(
            manifest.contains(&program),
            "{name} is not in tests/fuzz/Cargo.toml"
        );
        let call = format!("cosell_fuzz_targets::{name}(data)");
        let source = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).expect("a program");
        assert!(
            source.contains(&call),
            "fuzz_targets/{name}.rs does not call {call}"
        );
        let folder = fuzz.join("corpus").join(&name);
        let seeds = names(&folder);
        let count = seeds.len();
        assert!(
            (MIN_SEEDS..=MAX_SEEDS).contains(&count),
            "{name} has {count} files"
        );
        bytes += seeds
            .iter()
            .map(|seed| fs::read(folder.join(seed)).expect("a file").len())
            .sum::<usize>();
    }
    assert!(bytes <= MAX_BYTES, "the corpus has {bytes} bytes");
}

#[test]
fn plt_009_target_of_events_decodes_every_event() {
    let pool = DescriptorPool::decode(cosell_proto::DESCRIPTORS).expect("descriptors");
    let files = pool.files().filter(|file| file.name().ends_with("_events.proto"));
    let messages: Vec<_> = files
        .flat_map(|file| file.messages().collect::<Vec<_>>())
        .collect();
    let names = messages.iter().map(|message| message.full_name());
    let events: BTreeSet<_> = names.filter(|name| !name.ends_with("EventDetail")).collect();
    assert_eq!(EVENT_TYPES.iter().copied().collect::<BTreeSet<_>>(), events);
}
