//! Field masks (PLT-006): which fields of a record a partial update sets.

use cosell_types::{FieldPath, Violation, ViolationCode};
use prost_types::FieldMask;

/// What a mask asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Selection {
    /// No mask: every field that is given.
    Given,
    /// `*`, or paths: exactly these fields, given or not.
    Fields(Vec<&'static str>),
}

/// Reads a mask against the paths that can be set. A path of a message stands for all paths below it.
pub fn select(mask: Option<&FieldMask>, settable: &[&'static str]) -> Result<Selection, Vec<Violation>> {
    let Some(mask) = mask.filter(|mask| !mask.paths.is_empty()) else {
        return Ok(Selection::Given);
    };
    let mut selected = Vec::new();
    let mut violations = Vec::new();
    let root = FieldPath::root();
    let paths = root.field("update_mask.paths");
    for (index, path) in mask.paths.iter().enumerate() {
        let before = selected.len();
        selected.extend(settable.iter().filter(|field| path == "*" || covers(path, field)));
        if selected.len() == before {
            let text = "names no field that can be set; a path is written as in the message, such as \
                        customer.account.address, and `*` stands for all";
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
    fn a_path_stands_for_what_is_below_it_and_for_nothing_beside_it() {
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
    fn no_mask_is_everything_given() {
        assert_eq!(select(None, &SETTABLE), Ok(Selection::Given));
        assert_eq!(select_paths(&[]), Ok(Selection::Given));
    }

    #[test]
    fn every_unknown_path_is_reported_with_its_place() {
        let found = select_paths(&["a.b", "nope", "a.x"]).expect_err("two paths are unknown");
        let fields: Vec<_> = found.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["update_mask.paths[1]", "update_mask.paths[2]"]);
    }
    proptest::proptest! {
        /// What is selected is what some path names or stands above, in whatever order and however often they come; and
        /// each path that names nothing is told of, whatever the others are.
        #[test]
        fn plt_006_a_mask_is_the_fields_that_its_paths_cover(
            paths in proptest::collection::vec("(a|f|a\\.b|a\\.bc|a\\.d|a\\.d\\.e|a\\.|b|a\\.d\\.e\\.f|\\*)", 1..6),
        ) {
            let expected: Vec<_> = SETTABLE
                .into_iter()
                .filter(|field| paths.iter().any(|path| {
                    path == "*" || path == field || field.starts_with(&format!("{path}."))
                }))
                .collect();
            let known = |path: &String| {
                path == "*" || SETTABLE.iter().any(|field| path == field || field.starts_with(&format!("{path}.")))
            };
            let unknown: Vec<_> = (0..paths.len())
                .filter(|at| !known(&paths[*at]))
                .map(|at| format!("update_mask.paths[{at}]"))
                .collect();
            let selected = select(Some(&FieldMask { paths }), &SETTABLE);
            match selected {
                Ok(Selection::Fields(fields)) => {
                    proptest::prop_assert!(unknown.is_empty());
                    proptest::prop_assert_eq!(fields, expected);
                }
                Ok(Selection::Given) => proptest::prop_assert!(false, "there is a mask"),
                Err(found) => {
                    let fields: Vec<_> = found.into_iter().map(|violation| violation.field).collect();
                    proptest::prop_assert_eq!(fields, unknown);
                }
            }
        }
    }
}
