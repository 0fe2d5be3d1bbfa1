//! All SQL of this service. Functions take the transaction and return domain values.

mod inbox;
mod mails;
mod members;
mod preferences;

pub use inbox::{About, Entry, Last, list, mark_notifications_read, put, unread};
pub use mails::{Outcome, Queued, finish, queue, take_due};
pub use members::{of_account, of_aws, reach};
pub use preferences::{Preferences, preferences, set_preferences};
