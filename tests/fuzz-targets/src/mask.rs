//! Field masks (PLT-006).

use cosell_grpc::mask::{Selection, select};
use cosell_opportunity::domain::Field;
use prost::Message as _;
use prost_types::FieldMask;

use crate::support::assert_described;

/// The paths of a mask, one in each line. The bytes are also read as an encoded mask.
pub fn mask(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        check(text.lines().map(str::to_owned).collect());
    }
    if let Ok(mask) = FieldMask::decode(data) {
        check(mask.paths);
    }
}

fn check(paths: Vec<String>) {
    let settable: Vec<_> = Field::ALL.iter().map(|field| field.path()).collect();
    let selects =
        |path: &String, field: &str| path == "*" || field == path || field.starts_with(&format!("{path}."));
    let expected: Vec<_> = settable
        .iter()
        .filter(|field| paths.iter().any(|path| selects(path, field)))
        .collect();
    let count = paths.len();
    match select(Some(&FieldMask { paths }), &settable) {
        Ok(Selection::SetFields) => assert_eq!(count, 0, "a mask with paths"),
        Ok(Selection::Fields(fields)) => {
            let mut sorted = expected;
            sorted.sort_unstable();
            assert_eq!(fields.iter().collect::<Vec<_>>(), sorted);
            let paths = fields.iter().map(|&field| field.to_owned()).collect();
            let selected = select(Some(&FieldMask { paths }), &settable);
            assert_eq!(selected, Ok(Selection::Fields(fields)));
        }
        Err(violations) => {
            assert!(!violations.is_empty() && violations.len() <= count);
            assert_described(&violations);
        }
    }
}
