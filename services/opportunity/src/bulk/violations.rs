//! Violations of rows.

use cosell_types::{FieldPath, Violation, ViolationCode, contains_path};

use crate::domain::Rule;
use crate::domain::values::FileFormat;

/// The violations of a violated rule: one for each field, or one of the row as a whole.
pub fn from_rule(rule: Rule) -> Vec<Violation> {
    match rule {
        Rule::Invalid(violations) | Rule::FieldsNotEditable(_, violations) => violations,
        other => vec![violation_at(
            "",
            ViolationCode::ActionNotPermitted,
            other.to_string(),
        )],
    }
}

/// Adds violations, none of a field of which a part is reported, and of the row as a whole at most one of each code.
pub fn merge(violations: &mut Vec<Violation>, added: Vec<Violation>) {
    for violation in added {
        let is_duplicate = violations.iter().any(|existing| {
            contains_path(&violation.field, &existing.field)
                && (!existing.field.is_empty() || existing.code == violation.code)
        });
        if !is_duplicate {
            violations.push(violation);
        }
    }
}

/// A violation of a field of a row or of the request, or of the row as a whole if `path` is empty.
pub fn violation_at(path: &str, code: ViolationCode, text: impl Into<String>) -> Violation {
    let root = FieldPath::root();
    Violation::new(&root.field(path), code, text)
}

/// Partner opportunity identifiers are unique in an account.
pub fn identifier_in_use() -> Violation {
    let text = "Is in use by another opportunity of the account.";
    violation_at(
        "partner_opportunity_identifier",
        ViolationCode::DuplicateKeyValue,
        text,
    )
}

/// How to save a file that is no UTF-8 text.
pub fn save_as(format: FileFormat) -> &'static str {
    match format {
        FileFormat::Csv => "Save it as UTF-8, in a spreadsheet program as `CSV UTF-8`.",
        FileFormat::JsonLines => "Save it as UTF-8.",
    }
}
