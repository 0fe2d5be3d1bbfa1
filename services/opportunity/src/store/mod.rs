//! All SQL of this service. Functions take the transaction and return domain values; what a row cannot be read as is
//! an error of ours.

mod facts;
mod flags;
pub mod list;
mod opportunities;
mod presets;
mod revisions;
mod words;

#[cfg(test)]
mod tests_plans;

pub use facts::facts;
pub use flags::{FLAGGED_RECORD, flag, is_flagged, unflag};
pub use opportunities::{PARTNER_IDENTIFIER, load, load_of_any_account, save};
pub use revisions::{Revision, list_revisions, load_as_of, load_revision};
