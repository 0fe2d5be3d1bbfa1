//! Finds the columns of a table by their names and by the fields that they are about (OPP-080, OPP-084).

use std::collections::HashMap;
use std::sync::LazyLock;

use cosell_types::contains_path;
use cosell_types::standard::normalize;

use super::column_names::{OPPORTUNITY_ID, REVISION, is_id_column, is_revision_column};
use super::columns::{COLUMNS, Column};

/// The columns by their normalized names, computed once: a file has many headings and rows.
static BY_NAME: LazyLock<HashMap<String, &'static Column>> = LazyLock::new(|| {
    COLUMNS
        .iter()
        .map(|column| (normalize(column.name), column))
        .collect()
});

/// The column with this name, in any capitalization and spacing.
pub fn find_column(name: &str) -> Option<&'static Column> {
    BY_NAME.get(&normalize(name)).copied()
}

/// The name of a column that an import reads, in the spelling of the template.
pub fn known_name(name: &str) -> Option<&'static str> {
    find_column(name)
        .map(|column| column.name)
        .or_else(|| is_id_column(name).then_some(OPPORTUNITY_ID))
        .or_else(|| is_revision_column(name).then_some(REVISION))
}

/// The column of the field with this path: the one whose field contains it most closely, otherwise the first whose field
/// is a part of it.
pub fn find_by_path(path: &str) -> Option<&'static Column> {
    let containing = COLUMNS.iter().filter(|column| contains_path(column.path, path));
    // The first of equally close ones: a currency belongs to its amount.
    containing
        .rev()
        .max_by_key(|column| column.path.len())
        .or_else(|| COLUMNS.iter().find(|column| contains_path(path, column.path)))
}
