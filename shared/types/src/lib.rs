//! Value types that several contexts use: ids, callers, time, money, violations, personal data.
//!
//! This crate opens no file or connection and contains no rules of a bounded context.

mod caller;
mod clock;
mod closed_list;
mod countries;
mod email;
mod id;
mod invitation;
pub mod json;
mod money;
mod pii;
pub mod random;
mod role;
pub mod standard;
mod text;
pub mod text_file;
mod violation;

pub use caller::{Caller, CallerClass, Member, Side};
pub use clock::{Clock, revision_time};
pub use closed_list::ClosedList;
pub use email::{comparable_email, email_address};
pub use id::{
    AccountId, IdError, MemberId, OpportunityId, ServiceName, is_digit_first, is_letter_first, is_prefixed,
};
pub use invitation::{ParticipantType, RejectionReason};
pub use money::{Currency, Money, MoneyError};
pub use pii::Pii;
pub use role::Role;
pub use text::{comparison_key, controls_display};
pub use violation::{FieldPath, Violation, ViolationCode, contains_path};
