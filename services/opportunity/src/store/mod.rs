//! All SQL of this service. Functions take the transaction and return domain values; what a row cannot be read as is
//! an error of ours.

mod facts;
pub mod list;
mod next_steps;
mod opportunities;

pub use facts::facts;
pub use next_steps::next_steps;
pub use opportunities::{PARTNER_IDENTIFIER, load, load_of_any_account, load_revision, save};
