//! The functions that generated validators call. Each checks one kind of rule and describes the violation in a sentence
//! that does not repeat a string, because it may be personal data.

use std::fmt;

use cosell_types::{FieldPath, Violation, ViolationCode, controls_display, email_address};
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use regex::Regex;

/// A message whose `buf.validate` rules can be checked.
pub trait Validate {
    /// Appends all violations of the message's rules; `at` is the path of the message.
    fn check(&self, at: &FieldPath<'_>, violations: &mut Vec<Violation>);

    /// All violations in the message, with paths relative to the message.
    fn violations(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        self.check(&FieldPath::root(), &mut violations);
        violations
    }
}

/// A request that is a write: one with a `request_id`.
pub trait Mutation: prost::Message + Clone {
    /// The idempotency key of the client; empty if it states none (PLT-002).
    fn request_id(&self) -> &str;

    /// The same request with its idempotency key in another form.
    fn with_request_id(&self, request_id: String) -> Self;

    /// Whether the request is a dry run: validated, but not executed (PLT-004).
    fn validate_only(&self) -> bool;
}

pub(crate) struct StringRules<'a> {
    /// Whether the empty string means "not set" and is valid.
    pub optional: bool,
    pub min_len: Option<u64>,
    pub max_len: Option<u64>,
    pub uuid: bool,
    pub pattern: Option<&'a Regex>,
    /// The first sentence of the field's comment, which describes its format.
    pub expected: &'a str,
    /// Whether the value may be personal data and must not be returned.
    pub personal: bool,
    /// Whether the text may have line breaks and tabs.
    pub multiline: bool,
    /// Whether the text is an e-mail address.
    pub email: bool,
}

pub(crate) fn string(
    value: &str,
    rules: &StringRules<'_>,
    at: &FieldPath<'_>,
    violations: &mut Vec<Violation>,
) {
    // A text of nothing that is visible is no text.
    if is_blank(value) {
        let is_required =
            rules.min_len.unwrap_or(0) > 0 || rules.uuid || rules.pattern.is_some_and(|p| !p.is_match(""));
        if is_required && !rules.optional {
            required(false, at, violations);
            return;
        }
    }
    if value.is_empty() {
        return;
    }
    if let Some(character) = find_forbidden(value, rules.multiline) {
        let text = match character {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => {
                "Must be one line, without line breaks and tabs.".to_owned()
            }
            character => format!(
                "Must not contain the control character U+{:04X}.",
                u32::from(character)
            ),
        };
        violations.push(Violation::new(at, ViolationCode::InvalidStringFormat, text));
        return;
    }
    let mut report = |code, text: String| {
        let violation = Violation::new(at, code, text);
        violations.push(match rules.personal {
            true => violation,
            false => violation.with_rejected_value(value),
        });
    };
    // An address counts as it is stored.
    let email = email_address(value).filter(|_| rules.email);
    let length = email.as_deref().unwrap_or(value).chars().count() as u64;
    if let Some(min) = rules.min_len.filter(|min| length < *min) {
        let text = format!(
            "Must have at least {}, but has {length}.",
            counted(min, "character", "characters")
        );
        report(ViolationCode::ValueOutOfRange, text);
    }
    if let Some(max) = rules.max_len.filter(|max| length > *max) {
        let text = format!(
            "Can have at most {}, but has {length}.",
            counted(max, "character", "characters")
        );
        report(ViolationCode::ValueOutOfRange, text);
        return;
    }
    if rules.uuid && !is_uuid(value) {
        let text = "Must be a UUID other than the nil UUID, such as 0199c7b4-52f1-7b64-a2c9-5d4f0e6a1b37."
            .to_owned();
        report(ViolationCode::InvalidStringFormat, text);
    }
    if rules.email && email.is_none() {
        let text = "Is not an e-mail address: needs a local part of at most 64 ASCII characters, `@` and a domain, such \
                    as `jane@alder.example`; at most 254 octets in all."
            .to_owned();
        report(ViolationCode::InvalidStringFormat, text);
    }
    if let Some(pattern) = rules.pattern.filter(|pattern| !pattern.is_match(value)) {
        let text = format!("Does not have the required format. Expected: {}.", rules.expected);
        let violation =
            Violation::new(at, ViolationCode::InvalidStringFormat, text).with_pattern(pattern.as_str());
        violations.push(match rules.personal {
            true => violation,
            false => violation.with_rejected_value(value),
        });
    }
}

/// The first character with which the text could look like something else to a person or to a terminal (PLT-014). Line
/// breaks and tabs are among them only in a single line.
fn find_forbidden(value: &str, multiline: bool) -> Option<char> {
    value.chars().find(|character| match character {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => !multiline,
        character => controls_display(*character),
    })
}

/// Whether the text has nothing but white space and characters that are not shown.
fn is_blank(value: &str) -> bool {
    let invisible = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let categories = CodePointMapData::<GeneralCategory>::new();
    value.chars().all(|character| {
        character.is_whitespace()
            || invisible.contains(character)
            || categories.get(character) == GeneralCategory::Format
            // A Braille pattern without dots, and the place of an object that is not there.
            || matches!(character, '\u{2800}' | '\u{fffc}')
    })
}

/// Whether the text is a UUID (RFC 9562, 4) other than the nil UUID.
fn is_uuid(value: &str) -> bool {
    let groups: Vec<_> = value.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
        && value.bytes().any(|byte| !matches!(byte, b'0' | b'-'))
}

pub(crate) fn enumeration(
    number: i32,
    is_defined: impl Fn(i32) -> bool,
    not_zero: bool,
    allowed: &[&str],
    at: &FieldPath<'_>,
    violations: &mut Vec<Violation>,
) {
    if number == 0 && not_zero {
        let violation = Violation::new(at, ViolationCode::RequiredFieldMissing, "Is required.");
        violations.push(violation.with_allowed_values(allowed.iter().copied(), ""));
    } else if !is_defined(number) {
        let text = format!("The enum has no value with the number {number}.");
        let violation = Violation::new(at, ViolationCode::InvalidEnumValue, text).with_rejected_value(number);
        violations.push(violation.with_allowed_values(allowed.iter().copied(), ""));
    }
}

pub(crate) fn integer(
    value: impl Into<i64>,
    gte: Option<i64>,
    lte: Option<i64>,
    at: &FieldPath<'_>,
    violations: &mut Vec<Violation>,
) {
    let value = value.into();
    if gte.is_some_and(|gte| value < gte) || lte.is_some_and(|lte| value > lte) {
        let text = match (gte, lte) {
            (Some(gte), Some(lte)) => format!("Must be from {gte} to {lte}."),
            (Some(gte), None) => format!("Must be at least {gte}."),
            (None, Some(lte)) => format!("Must be at most {lte}."),
            (None, None) => return,
        };
        violations.push(Violation::new(at, ViolationCode::ValueOutOfRange, text).with_rejected_value(value));
    }
}

pub(crate) fn required(present: bool, at: &FieldPath<'_>, violations: &mut Vec<Violation>) {
    if !present {
        violations.push(Violation::new(
            at,
            ViolationCode::RequiredFieldMissing,
            "Is required.".to_owned(),
        ));
    }
}

/// Checks a required oneof; `members` are the names of its fields.
pub(crate) fn one_of(is_set: bool, members: &[&str], at: &FieldPath<'_>, violations: &mut Vec<Violation>) {
    if !is_set {
        let text = format!("Is required: exactly one of {}.", members.join(", "));
        let violation = Violation::new(at, ViolationCode::RequiredFieldMissing, text);
        violations.push(violation.with_allowed_values(members.iter().copied(), ""));
    }
}

pub(crate) fn items<T: PartialEq>(
    items: &[T],
    min: Option<u64>,
    max: Option<u64>,
    unique: bool,
    at: &FieldPath<'_>,
    violations: &mut Vec<Violation>,
) {
    let count = items.len() as u64;
    if let Some(min) = min.filter(|min| count < *min) {
        let text = format!(
            "Must have at least {}, but has {count}.",
            counted(min, "entry", "entries")
        );
        violations.push(Violation::new(at, ViolationCode::NotEnoughValues, text));
    }
    if let Some(max) = max.filter(|max| count > *max) {
        let text = format!(
            "Can have at most {}, but has {count}.",
            counted(max, "entry", "entries")
        );
        violations.push(Violation::new(at, ViolationCode::TooManyValues, text));
        // Returns early: the cost of comparing all entries would be up to the sender.
        return;
    }
    if unique && (1..items.len()).any(|index| items[..index].contains(&items[index])) {
        violations.push(Violation::new(
            at,
            ViolationCode::InvalidValue,
            "Duplicate value: each entry may be listed only once.".to_owned(),
        ));
    }
}

/// A number with its noun, such as `1 entry` or `10 entries`.
fn counted(number: u64, singular: &str, plural: &str) -> String {
    let noun = if number == 1 { singular } else { plural };
    format!("{number} {noun}")
}

/// Compiles a pattern of the definitions; `tests/proto_style` verifies that all of them compile.
pub(crate) fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| unreachable!("pattern {pattern} in proto/: {error}"))
}

/// The placeholder of a redacted field in `Debug` output.
pub(crate) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Formats enum numbers as names in `Debug` output.
pub(crate) struct EnumNames<'a, T, F>(pub &'a T, pub F);

impl<F: Fn(i32) -> Option<&'static str>> fmt::Debug for EnumNames<'_, i32, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.1)(*self.0) {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

impl<F: Fn(i32) -> Option<&'static str>> fmt::Debug for EnumNames<'_, Vec<i32>, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|number| EnumNames(number, &self.1)))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, min_len: u64, multiline: bool) -> Vec<(ViolationCode, String)> {
        let rules = StringRules {
            optional: false,
            min_len: Some(min_len),
            max_len: Some(80),
            uuid: false,
            pattern: None,
            expected: "",
            personal: true,
            multiline,
            email: false,
        };
        let mut violations = Vec::new();
        string(value, &rules, &FieldPath::root().field("text"), &mut violations);
        violations
            .into_iter()
            .map(|violation| (violation.code, violation.description))
            .collect()
    }

    #[test]
    fn plt_014_line_breaks_are_kept_in_multiline_texts_only() {
        for text in ["one\ntwo", "one\r\ntwo", "one\ttwo", "one\u{2028}two"] {
            assert_eq!(check(text, 1, true), []);
            let refused = check(text, 1, false);
            assert_eq!(refused.len(), 1, "{text:?}");
            assert_eq!(refused[0].1, "Must be one line, without line breaks and tabs.");
        }
    }

    #[test]
    fn plt_014_controls_escapes_and_reordering_are_refused_everywhere() {
        for character in [
            '\0', '\u{7}', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{202e}', '\u{2066}',
        ] {
            for multiline in [false, true] {
                let refused = check(&format!("one{character}two"), 1, multiline);
                assert_eq!(refused.len(), 1, "{character:?}");
                assert_eq!(refused[0].0, ViolationCode::InvalidStringFormat);
                assert!(refused[0].1.contains(&format!("U+{:04X}", u32::from(character))));
            }
        }
        // Marks that belong to the spelling of names.
        for text in ["نص\u{200f}!", "क्\u{200d}ष", "👩\u{200d}💻", "Zoë", "株式会社"] {
            assert_eq!(check(text, 1, false), [], "{text}");
        }
    }

    #[test]
    fn plt_014_required_text_has_something_visible() {
        for text in [
            "",
            " ",
            "\u{a0}",
            "\u{200b}\u{feff}",
            "\u{ad}",
            "\u{3164}",
            "\u{2060} \u{200d}",
            "\u{2800}",
            "\u{fff9}\u{fffc}",
            "\u{13430}",
        ] {
            let refused = check(text, 1, false);
            assert_eq!(refused.len(), 1, "{text:?}");
            assert_eq!(refused[0].0, ViolationCode::RequiredFieldMissing, "{text:?}");
            assert_eq!(check(text, 0, false), [], "an optional text: {text:?}");
        }
    }
}
