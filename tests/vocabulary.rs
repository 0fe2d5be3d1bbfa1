//! The words of the repository are those of the domain and of the field (CONTRIBUTING.md, Style). These tests find the
//! home-made ones that have crept in before, names of tests that nobody reads to their end, and comments that only
//! repeat a name.

use cosell_tests::repository::{File, assert_none, files, read};
use regex::Regex;

/// Phrases that prose may not have, and what to write instead.
const PHRASES: &[(&str, &str)] = &[
    (r"se(?:e|es|en|eing) to\b|saw to\b", "process, run, enforce"),
    (r"work(?:s|ed|ing)? off\b", "process"),
    (r"becom(?:e|es) due|what is due", "scheduled work, due rows"),
    (r"tak(?:e|es|en|ing) in\b|took in\b", "import, accept"),
    (r"g(?:ive|ives|iven|iving) out\b|gave out\b", "export, send"),
    (
        r"taken over from|takes? over from",
        "imported from, replicated from",
    ),
    (
        r"hand(?:s|ed|ing)? (?:it )?(?:over|on)\b",
        "submit, transfer, route, forward",
    ),
    (r"put(?:s|ting)? away\b", "archive"),
    (r"thr(?:ow|ows|own|ew|owing) away\b", "discard"),
    (r"hindrances?", "failure, error"),
    (r"overtaken", "version conflict, concurrent change"),
    (r"rehears\w+", "dry run, validate_only"),
    (r"far ends?", "peer stub"),
    (r"stand-ins?", "fake server"),
    (r"travell?ers?", "scenario"),
    (r"the other side", "counterparty"),
    (r"strangers?", "unrelated account, other caller"),
    (r"some(?:body|one)\b", "a member, a caller, a user"),
    (r"who(?:m)?ever\b", "the caller, the member, the client that"),
    (r"comes? to be\b|came to be\b", "is created"),
    (r"the original\b", "AWS Partner Central"),
    (r"(?:a|the|its|of|this|each|every) deals?\b", "opportunity"),
    (r"(?:is|are|was|were|be) told\b", "is notified, receives"),
    (r"in hand\b", "in flight, in progress"),
    (r"by hand\b", "manually"),
    (r"for good\b", "permanently"),
];

/// Identifiers that code may not have, and what to name instead.
const IDENTIFIERS: &[(&str, &str)] = &[
    ("see_to", "process"),
    ("work_off", "process"),
    ("take_in", "import"),
    ("give_out", "export, send_pages"),
    ("hand_on", "route_to_next"),
    ("hand_over", "forward"),
    ("put_away", "archive"),
    ("note_that", "record_…"),
    ("meant", "find_…"),
    ("came", "member_joined"),
    ("went", "member_left"),
    ("greet", "post_welcome_message"),
    ("Hindrance", "StepFailure"),
    ("Rehearsed", "DryRun…"),
    ("Told", "CallbackEvent, …Event"),
    ("Asked", "…Query, …Request"),
    ("Standing", "…State, …Facts"),
    ("Situation", "…State"),
    ("Reach", "VisibilityScope"),
    ("FarEnd", "PeerStub"),
    ("Stranger", "UnrelatedAccount"),
    ("patiently", "with_retries"),
];

/// Where a word is right all the same: the beginning of a path, a part of the line, and why.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("tests/vocabulary.rs", "", "lists the words"),
    (
        "services/referral/tests/it/support.rs",
        "Asked for a price",
        "text of a test",
    ),
    ("tests/src/requests.rs", "\"Asked\"", "text of a test"),
];

/// Proto files and documents, Rust comments.
fn prose() -> Vec<(File, Vec<(usize, String)>)> {
    let comment = Regex::new(r"(?:^|\s)//[/!]?\s(.*)").expect("a pattern");
    let mut sources = Vec::new();
    for folder in ["services", "shared", "tests", "xtask", "proto/cosell"] {
        sources.extend(files(folder, ".rs"));
        sources.extend(files(folder, ".proto"));
    }
    let mut documents = files("docs", ".md");
    documents.extend(files("services", ".md"));
    documents.extend(["README.md", "CONTRIBUTING.md"].map(|path| File {
        path: path.to_owned(),
        text: read(path),
    }));
    let numbered = |text: &str| -> Vec<(usize, String)> {
        text.lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.to_owned()))
            .collect()
    };
    let commented = sources.into_iter().map(|file| {
        let lines = numbered(&file.text).into_iter();
        let comments =
            lines.filter_map(|(number, line)| Some((number, comment.captures(&line)?[1].to_owned())));
        let comments = comments.collect();
        (file, comments)
    });
    let documents = documents.into_iter().map(|file| {
        let lines = numbered(&file.text);
        (file, lines)
    });
    commented.chain(documents).collect()
}

fn is_allowed(path: &str, line: &str) -> bool {
    ALLOWED
        .iter()
        .any(|(allowed, part, _)| path.starts_with(allowed) && line.contains(part))
}

#[test]
fn prose_has_no_home_made_phrases() {
    let phrases: Vec<_> = PHRASES
        .iter()
        .map(|(phrase, instead)| {
            (
                Regex::new(&format!(r"(?i)\b(?:{phrase})")).expect("a pattern"),
                instead,
            )
        })
        .collect();
    let mut violations = Vec::new();
    for (file, lines) in prose() {
        for (number, line) in lines.iter().filter(|(_, line)| !is_allowed(&file.path, line)) {
            for (phrase, instead) in &phrases {
                if let Some(found) = phrase.find(line) {
                    violations.push(format!(
                        "{}:{number}: `{}`; instead: {instead}",
                        file.path,
                        found.as_str()
                    ));
                }
            }
        }
    }
    assert_none("home-made phrases", &violations);
}

#[test]
fn code_has_no_home_made_identifiers() {
    let word = Regex::new(r"\b[A-Za-z_]\w*\b").expect("a pattern");
    let mut violations = Vec::new();
    for folder in ["services", "shared", "tests", "xtask"] {
        for file in files(folder, ".rs") {
            for (index, line) in file.text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                if is_allowed(&file.path, line) {
                    continue;
                }
                for found in word.find_iter(code) {
                    if let Some((name, instead)) =
                        IDENTIFIERS.iter().find(|(name, _)| *name == found.as_str())
                    {
                        violations.push(format!(
                            "{}:{}: `{name}`; instead: {instead}",
                            file.path,
                            index + 1
                        ));
                    }
                }
            }
        }
    }
    assert_none("home-made identifiers", &violations);
}

/// Functions are verbs that say what they do at the call site.
#[test]
fn functions_have_no_home_made_names() {
    let function = Regex::new(
        r"\bfn (about|note|take|one|wrong|none|found|given|asked|told|meant|known|sound|hear|say|led)\b",
    )
    .expect("a pattern");
    let mut violations = Vec::new();
    for folder in ["services", "shared", "tests", "xtask"] {
        for file in files(folder, ".rs") {
            let names = function
                .captures_iter(&file.text)
                .map(|found| found[1].to_owned());
            violations.extend(names.map(|name| format!("{}: fn {name}", file.path)));
        }
    }
    assert_none("functions that are no verbs", &violations);
}

/// A runner shows some 80 characters of a name.
#[test]
fn test_names_have_at_most_80_characters() {
    let test = Regex::new(r"#\[(?:tokio::)?test[^\]]*\](?:\s*#\[[^\]]*\])*\s*(?:async )?fn (\w+)")
        .expect("a pattern");
    let mut violations = Vec::new();
    for folder in ["services", "shared", "tests", "xtask"] {
        for file in files(folder, ".rs") {
            let names = test.captures_iter(&file.text).map(|found| found[1].to_owned());
            let long = names.filter(|name| name.len() > 80);
            violations
                .extend(long.map(|name| format!("{}: {name} has {} characters", file.path, name.len())));
        }
    }
    assert_none("long names of tests", &violations);
}

/// `/// The clock.` over `clock` says nothing.
#[test]
fn comments_say_more_than_the_name() {
    let commented = Regex::new(
        r"(?m)^\s*[^\s/][^\n]*\n\s*/// ([^\n]+)\n(?:\s*#\[[^\n]*\n)*\s*(?:pub(?:\([^)]*\))? )?(?:async )?(?:fn |struct |enum |const |static |type |trait |mod )?(\w+)",
    )
    .expect("a pattern");
    let mut violations = Vec::new();
    for folder in ["services", "shared", "xtask"] {
        for file in files(folder, ".rs") {
            for found in commented.captures_iter(&file.text) {
                let (_, [comment, name]) = found.extract();
                if words(comment) == words(name) {
                    violations.push(format!("{}: `{comment}` over `{name}`", file.path));
                }
            }
        }
    }
    assert_none("comments that repeat a name", &violations);
}

/// The words of a comment or name that carry meaning, in lower case.
fn words(text: &str) -> Vec<String> {
    let camel = Regex::new(r"([a-z0-9])([A-Z])").expect("a pattern");
    let text = camel.replace_all(text, "$1 $2").to_lowercase();
    let words = text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| {
            !word.is_empty() && !["the", "a", "an", "its", "of", "this", "is", "are"].contains(word)
        });
    words.map(str::to_owned).collect()
}

#[test]
fn words_of_comment_and_name_are_compared_without_articles() {
    assert_eq!(words("The clock."), words("clock"));
    assert_eq!(words("The time of expiry"), ["time", "expiry"]);
    assert_eq!(words("ExpireTime"), words("expire_time"));
}
