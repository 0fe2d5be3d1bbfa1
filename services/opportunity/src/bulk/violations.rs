//! What is wrong with rows of a file.

use cosell_types::{FieldPath, Violation, ViolationCode};

use crate::domain::Rule;

/// Where the partner's own key stands.
pub const KEY: &str = "partner_opportunity_identifier";

/// What a broken rule found, field by field.
pub fn of(rule: Rule) -> Vec<Violation> {
    match rule {
        Rule::Invalid(found) | Rule::FieldsNotEditable(_, found) => found,
        other => vec![wrong("", ViolationCode::ActionNotPermitted, other.to_string())],
    }
}

/// Adds what is found to what is known, once for each field; of a row as a whole there may be more.
pub fn merge(known: &mut Vec<Violation>, found: Vec<Violation>) {
    for violation in found {
        let is_known = known.iter().any(|known| {
            known.field == violation.field && (!known.field.is_empty() || known.code == violation.code)
        });
        if !is_known {
            known.push(violation);
        }
    }
}

/// Something that is wrong with a field of a row.
pub fn wrong(at: &str, code: ViolationCode, text: impl Into<String>) -> Violation {
    let root = FieldPath::root();
    Violation::new(&root.field(at), code, text)
}

/// The keys of the partner's own tell its records apart.
pub fn key_taken() -> Violation {
    let text = "is the key of another opportunity of the account";
    wrong(KEY, ViolationCode::DuplicateKeyValue, text)
}
