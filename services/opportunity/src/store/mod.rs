//! All SQL of this service. Functions take the transaction and return domain values; what a row cannot be read as is
//! an error of ours.

mod aws_summaries;
mod facts;
pub mod list;
mod opportunities;

pub use aws_summaries::{aws_summary, save_aws_summary};
pub use facts::facts;
pub use opportunities::{
    PARTNER_IDENTIFIER, load, load_last_shown, load_of_any_account, load_revision, save,
};
