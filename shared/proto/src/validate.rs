//! What the generated validators call. Each function checks one kind of rule and says in a sentence what is wrong,
//! without repeating the value: it may be personal data.

use std::fmt;

use cosell_types::{FieldPath, Violation, ViolationCode};
use regex::Regex;

/// A message whose `buf.validate` rules can be checked.
pub trait Validate {
    /// Adds every violation of the message's rules; `at` is the path of the message itself.
    fn check(&self, at: &FieldPath<'_>, found: &mut Vec<Violation>);

    /// Every violation in the message, paths counted from the message.
    fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        self.check(&FieldPath::root(), &mut found);
        found
    }
}

/// A request that changes something.
pub trait Mutation: prost::Message {
    /// The client's id of the request; empty when it gave none (PLT-002).
    fn request_id(&self) -> &str;

    /// Whether to check everything and change nothing (PLT-004).
    fn validate_only(&self) -> bool;
}

pub(crate) struct StringRules<'a> {
    /// Whether the empty string means "not given" and is fine.
    pub optional: bool,
    pub min_len: Option<u64>,
    pub max_len: Option<u64>,
    pub uuid: bool,
    pub pattern: Option<&'a Regex>,
    /// What the field's documentation says it holds.
    pub expected: &'a str,
    /// Whether the value may be personal data, and must not be repeated.
    pub personal: bool,
}

pub(crate) fn string(value: &str, rules: &StringRules<'_>, at: &FieldPath<'_>, found: &mut Vec<Violation>) {
    if value.is_empty() {
        let demanded =
            rules.min_len.unwrap_or(0) > 0 || rules.uuid || rules.pattern.is_some_and(|p| !p.is_match(""));
        if demanded && !rules.optional {
            required(false, at, found);
        }
        return;
    }
    if value.contains('\0') {
        let text = "must not contain the character U+0000".to_owned();
        found.push(Violation::new(at, ViolationCode::InvalidStringFormat, text));
        return;
    }
    let mut wrong = |code, text: String| {
        let violation = Violation::new(at, code, text);
        found.push(match rules.personal {
            true => violation,
            false => violation.rejecting(value),
        });
    };
    let length = value.chars().count() as u64;
    if let Some(min) = rules.min_len.filter(|min| length < *min) {
        let text = format!("must have at least {min} characters; it has {length}");
        wrong(ViolationCode::ValueOutOfRange, text);
    }
    if let Some(max) = rules.max_len.filter(|max| length > *max) {
        let text = format!("must have at most {max} characters; it has {length}");
        wrong(ViolationCode::ValueOutOfRange, text);
        return;
    }
    if rules.uuid && !is_uuid(value) {
        let text = "must be a UUID such as 0199c7b4-52f1-7b64-a2c9-5d4f0e6a1b37".to_owned();
        wrong(ViolationCode::InvalidStringFormat, text);
    }
    if let Some(pattern) = rules.pattern.filter(|pattern| !pattern.is_match(value)) {
        let text = format!("does not have the right form. Expected: {}", rules.expected);
        let violation =
            Violation::new(at, ViolationCode::InvalidStringFormat, text).matching(pattern.as_str());
        found.push(match rules.personal {
            true => violation,
            false => violation.rejecting(value),
        });
    }
}

fn is_uuid(value: &str) -> bool {
    let groups: Vec<_> = value.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

pub(crate) fn enumeration(
    number: i32,
    known: impl Fn(i32) -> bool,
    not_zero: bool,
    allowed: &[&str],
    at: &FieldPath<'_>,
    found: &mut Vec<Violation>,
) {
    if number == 0 && not_zero {
        let violation = Violation::new(at, ViolationCode::RequiredFieldMissing, "is required");
        found.push(violation.allowing(allowed.iter().copied(), ""));
    } else if !known(number) {
        let text = format!("has no value with number {number}");
        let violation = Violation::new(at, ViolationCode::InvalidEnumValue, text).rejecting(number);
        found.push(violation.allowing(allowed.iter().copied(), ""));
    }
}

pub(crate) fn integer(
    value: impl Into<i64>,
    gte: Option<i64>,
    lte: Option<i64>,
    at: &FieldPath<'_>,
    found: &mut Vec<Violation>,
) {
    let value = value.into();
    if gte.is_some_and(|gte| value < gte) || lte.is_some_and(|lte| value > lte) {
        let text = match (gte, lte) {
            (Some(gte), Some(lte)) => format!("must be from {gte} to {lte}"),
            (Some(gte), None) => format!("must be at least {gte}"),
            (None, Some(lte)) => format!("must be at most {lte}"),
            (None, None) => return,
        };
        found.push(Violation::new(at, ViolationCode::ValueOutOfRange, text).rejecting(value));
    }
}

pub(crate) fn required(present: bool, at: &FieldPath<'_>, found: &mut Vec<Violation>) {
    if !present {
        found.push(Violation::new(
            at,
            ViolationCode::RequiredFieldMissing,
            "is required".to_owned(),
        ));
    }
}

/// Of a oneof that has to be set; `members` are the names of its fields.
pub(crate) fn one_of(is_set: bool, members: &[&str], at: &FieldPath<'_>, found: &mut Vec<Violation>) {
    if !is_set {
        let text = format!("is required: exactly one of {}", members.join(", "));
        let violation = Violation::new(at, ViolationCode::RequiredFieldMissing, text);
        found.push(violation.allowing(members.iter().copied(), ""));
    }
}

pub(crate) fn items<T: PartialEq>(
    items: &[T],
    min: Option<u64>,
    max: Option<u64>,
    unique: bool,
    at: &FieldPath<'_>,
    found: &mut Vec<Violation>,
) {
    let count = items.len() as u64;
    if let Some(min) = min.filter(|min| count < *min) {
        let text = format!("must have at least {min} entries; it has {count}");
        found.push(Violation::new(at, ViolationCode::NotEnoughValues, text));
    }
    if let Some(max) = max.filter(|max| count > *max) {
        let text = format!("must have at most {max} entries; it has {count}");
        found.push(Violation::new(at, ViolationCode::TooManyValues, text));
        // The rest would be checked in vain, at the sender's choice of cost.
        return;
    }
    if unique && (1..items.len()).any(|index| items[..index].contains(&items[index])) {
        found.push(Violation::new(
            at,
            ViolationCode::InvalidValue,
            "must not repeat an entry".to_owned(),
        ));
    }
}

/// Compiles a pattern of the definition; `tests/proto_style` proves that all of them compile.
pub(crate) fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| unreachable!("pattern {pattern} in proto/: {error}"))
}

/// Stands in a `Debug` output for a field that must not be printed.
pub(crate) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Prints enum numbers by name.
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
