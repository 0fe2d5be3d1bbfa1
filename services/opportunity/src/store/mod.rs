//! All SQL of this service. Functions take the transaction and return domain values; what a row cannot be read as is
//! an error of ours.

mod aws_summaries;
mod catalog;
pub mod copies;
mod facts;
mod flags;
pub mod jobs;
pub mod list;
mod next_steps;
mod opportunities;
mod presets;
mod revisions;
mod words;

#[cfg(test)]
mod tests_plans;

pub use aws_summaries::{aws_summary, save_aws_summary};
pub use catalog::{SolutionQuery, products, put_products, put_solutions, put_subsidiary, solutions};
pub use facts::facts;
pub use flags::{FLAGGED_RECORD, flag, is_flagged, unflag};
pub use next_steps::next_steps;
pub use opportunities::{
    MARKETPLACE_OFFER, PARTNER_IDENTIFIER, load, load_held, load_last_shareable, load_last_shown, load_many,
    load_of_any_account, save, save_changed, save_new,
};
pub use revisions::{Revision, list_revisions, load_as_of, load_revision};
