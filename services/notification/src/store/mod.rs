//! All SQL of this service. Functions take the transaction and return domain values.

mod inbox;
mod mails;
mod members;

pub use inbox::{Entry, Last, list, mark_read, opt_outs, put, set_opt_outs, unread};
pub use mails::{Outcome, Queued, finish, queue, take_due};
pub use members::{Person, of_account, of_aws, upsert};
