//! All SQL of this service. Functions take the transaction and return domain values.

mod inbox;
mod mails;
mod members;
mod preferences;

pub use inbox::{
    InboxEntry, PageCursor, RelatedRecords, count_unread, insert_notification, list_inbox,
    mark_notifications_read,
};
pub use mails::{AttemptOutcome, MailRecipient, QueuedMail, claim_due_mails, queue_mail, save_outcome};
pub use members::{load_aws_members, load_members_of_account, save_contact};
pub use preferences::{load_preferences, save_preferences};
