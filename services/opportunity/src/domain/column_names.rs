//! The columns that identify the row of an exported table, and those that a result adds to it.

use cosell_types::standard::normalize;

/// The column with the id of the opportunity that a row updates.
pub const OPPORTUNITY_ID: &str = "Opportunity id";
/// The column with the revision of the opportunity at the time of the export.
pub const REVISION: &str = "Revision";
/// The column of the import result with the result of a row.
pub const RESULT: &str = "Result";
/// The column of the import result with the id of the opportunity, or the violations of the row.
pub const DETAILS: &str = "Details";

/// Whether this is the name of the column [`OPPORTUNITY_ID`].
pub fn is_id_column(name: &str) -> bool {
    normalize(name) == normalize(OPPORTUNITY_ID)
}

/// Whether this is the name of the column [`REVISION`].
pub fn is_revision_column(name: &str) -> bool {
    normalize(name) == normalize(REVISION)
}

/// Whether this is the name of a column that import results add.
pub fn is_result_column(name: &str) -> bool {
    [RESULT, DETAILS]
        .iter()
        .any(|added| normalize(added) == normalize(name))
}
