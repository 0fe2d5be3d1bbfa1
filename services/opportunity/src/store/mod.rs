//! All SQL of this service. Functions take the transaction and return domain values; what a row cannot be read as is
//! an error of ours.

mod aws_summaries;
mod catalog;
mod facts;
pub mod list;
mod next_steps;
mod opportunities;

pub use aws_summaries::{aws_summary, save_aws_summary};
pub use catalog::{SolutionQuery, products, put_products, put_solutions, put_subsidiary, solutions};
pub use facts::facts;
pub use next_steps::next_steps;
pub use opportunities::{
    MARKETPLACE_OFFER, PARTNER_IDENTIFIER, load, load_last_shown, load_of_any_account, load_revision, save,
};
