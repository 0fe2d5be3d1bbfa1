//! All SQL of this service. Functions take the transaction and return domain values; what a row cannot be read as is
//! an error of ours.

pub mod list;
mod opportunities;

pub use opportunities::{PARTNER_IDENTIFIER, load, load_of_any_account, load_revision, save};
