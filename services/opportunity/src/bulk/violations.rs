//! Violations of rows.

use cosell_types::{FieldPath, Violation, ViolationCode};

use crate::domain::Rule;

/// The violations of a violated rule: one for each field, or one of the row as a whole.
pub fn from_rule(rule: Rule) -> Vec<Violation> {
    match rule {
        Rule::Invalid(violations) | Rule::FieldsNotEditable(_, violations) => violations,
        other => vec![row_violation(
            "",
            ViolationCode::ActionNotPermitted,
            other.to_string(),
        )],
    }
}

/// Adds violations, at most one for each field, and for the row as a whole at most one of each code.
pub fn merge(violations: &mut Vec<Violation>, added: Vec<Violation>) {
    for violation in added {
        let is_duplicate = violations.iter().any(|existing| {
            existing.field == violation.field
                && (!existing.field.is_empty() || existing.code == violation.code)
        });
        if !is_duplicate {
            violations.push(violation);
        }
    }
}

/// A violation of a field, or of the row as a whole if `path` is empty.
pub fn row_violation(path: &str, code: ViolationCode, text: impl Into<String>) -> Violation {
    let root = FieldPath::root();
    Violation::new(&root.field(path), code, text)
}

/// Partner opportunity identifiers are unique in an account.
pub fn identifier_in_use() -> Violation {
    let text = "Is in use by another opportunity of the account.";
    row_violation(
        "partner_opportunity_identifier",
        ViolationCode::DuplicateKeyValue,
        text,
    )
}

/// A violation of an import file as a whole.
pub fn content_violation(code: ViolationCode, text: String) -> Violation {
    let root = FieldPath::root();
    Violation::new(&root.field("content"), code, text)
}
