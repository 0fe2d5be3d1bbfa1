//! Field masks (PLT-006): which fields of a record a partial update sets.

use cosell_types::{FieldPath, Violation, ViolationCode};
use prost_types::FieldMask;

/// The fields that a mask selects.
#[derive(Debug, PartialEq, Eq)]
pub enum Selection {
    /// No mask: all fields that are set in the request.
    SetFields,
    /// `*` or paths: exactly these fields, set or not.
    Fields(Vec<&'static str>),
}

/// Resolves a mask against the updatable paths. The path of a message selects all paths below it.
pub fn select(mask: Option<&FieldMask>, settable: &[&'static str]) -> Result<Selection, Vec<Violation>> {
    let Some(mask) = mask.filter(|mask| !mask.paths.is_empty()) else {
        return Ok(Selection::SetFields);
    };
    let mut selected = Vec::new();
    let mut violations = Vec::new();
    let root = FieldPath::root();
    let paths = root.field("update_mask.paths");
    for (index, path) in mask.paths.iter().enumerate() {
        let count_before = selected.len();
        selected.extend(settable.iter().filter(|field| path == "*" || covers(path, field)));
        if selected.len() == count_before {
            let text = "Must be the path of an updatable field, such as customer.account.address, or `*` for all \
                        fields.";
            violations.push(Violation::new(
                &paths.index(index),
                ViolationCode::InvalidValue,
                text,
            ));
        }
    }
    if violations.is_empty() {
        selected.sort_unstable();
        selected.dedup();
        Ok(Selection::Fields(selected))
    } else {
        Err(violations)
    }
}

fn covers(path: &str, field: &str) -> bool {
    field
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTABLE: [&str; 4] = ["a.b", "a.bc", "a.d.e", "f"];

    fn select_paths(paths: &[&str]) -> Result<Selection, Vec<Violation>> {
        let mask = FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        };
        select(Some(&mask), &SETTABLE)
    }

    #[test]
    fn plt_006_path_selects_itself_and_all_fields_below() {
        assert_eq!(select_paths(&["a.b"]), Ok(Selection::Fields(vec!["a.b"])));
        assert_eq!(
            select_paths(&["a"]),
            Ok(Selection::Fields(vec!["a.b", "a.bc", "a.d.e"]))
        );
        assert_eq!(
            select_paths(&["a.d", "a"]),
            Ok(Selection::Fields(vec!["a.b", "a.bc", "a.d.e"]))
        );
        assert_eq!(select_paths(&["*"]), Ok(Selection::Fields(SETTABLE.to_vec())));
    }

    #[test]
    fn plt_006_empty_mask_selects_all_set_fields() {
        assert_eq!(select(None, &SETTABLE), Ok(Selection::SetFields));
        assert_eq!(select_paths(&[]), Ok(Selection::SetFields));
    }

    #[test]
    fn plt_006_unknown_paths_are_reported_with_index() {
        let violations = select_paths(&["a.b", "nope", "a.x"]).expect_err("two paths are unknown");
        let fields: Vec<_> = violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(fields, ["update_mask.paths[1]", "update_mask.paths[2]"]);
    }
    proptest::proptest! {
        /// Holds for any order and repetition of paths; each unknown path is reported.
        #[test]
        fn plt_006_mask_selects_exactly_the_fields_that_its_paths_cover(
            paths in proptest::collection::vec("(a|f|a\\.b|a\\.bc|a\\.d|a\\.d\\.e|a\\.|b|a\\.d\\.e\\.f|\\*)", 1..6),
        ) {
            let expected: Vec<_> = SETTABLE
                .into_iter()
                .filter(|field| paths.iter().any(|path| {
                    path == "*" || path == field || field.starts_with(&format!("{path}."))
                }))
                .collect();
            let is_known = |path: &String| {
                path == "*" || SETTABLE.iter().any(|field| path == field || field.starts_with(&format!("{path}.")))
            };
            let unknown: Vec<_> = (0..paths.len())
                .filter(|index| !is_known(&paths[*index]))
                .map(|index| format!("update_mask.paths[{index}]"))
                .collect();
            let selected = select(Some(&FieldMask { paths }), &SETTABLE);
            match selected {
                Ok(Selection::Fields(fields)) => {
                    proptest::prop_assert!(unknown.is_empty());
                    proptest::prop_assert_eq!(fields, expected);
                }
                Ok(Selection::SetFields) => proptest::prop_assert!(false, "the mask is not empty"),
                Err(violations) => {
                    let fields: Vec<_> = violations.into_iter().map(|violation| violation.field).collect();
                    proptest::prop_assert_eq!(fields, unknown);
                }
            }
        }
    }
}
