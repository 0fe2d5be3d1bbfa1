//! All SQL of this service, one module for each table. Functions take the transaction and return domain values; a row
//! that cannot be read as one is an internal error.

mod aws_summaries;
pub mod bulk_jobs;
pub mod bulk_keys;
pub mod bulk_rows;
pub mod comparison_keys;
mod facts;
pub mod list;
mod next_steps;
mod opportunities;
mod opportunity_copies;
mod opportunity_flags;
mod opportunity_revisions;
mod opportunity_words;
mod presets;
mod products;
mod solutions;
mod subsidiaries;
mod upsert;

#[cfg(test)]
mod tests_database;
#[cfg(test)]
mod tests_plans;

pub use aws_summaries::{load_aws_summary, save_aws_summary};
pub use facts::load_facts;
pub use next_steps::list_next_steps;
pub use opportunities::{
    MARKETPLACE_OFFER_INDEX, PARTNER_IDENTIFIER_INDEXES, load_last_shareable_revision,
    load_last_visible_revision, load_opportunities, load_opportunity, lock_opportunity, read_opportunity,
    save_changed_opportunities, save_new_opportunities, save_opportunity,
};
pub use opportunity_copies::{insert_copy, list_copies};
pub use opportunity_flags::{FLAGGED_RECORD_CONSTRAINT, delete_flag, insert_flag};
pub use opportunity_revisions::{Revision, list_revisions, load_revision, load_revision_as_of};
pub use products::{list_products, upsert_products};
pub use solutions::{SolutionQuery, list_solutions, upsert_solutions};
pub use subsidiaries::upsert_subsidiary;
