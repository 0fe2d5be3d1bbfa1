//! Selects the recipients of notifications and renders their texts. The code is pure: no I/O, clock or randomness. Rule
//! ids refer to docs/DOMAIN.md.

pub mod access;
mod recipients;
mod template;
pub mod values;

pub use recipients::{Contact, Member, Recipients, SelectionCriteria, select_recipients};
pub use template::{
    BulkJobFacts, CollaborationFacts, NotificationText, ReferralFacts, TemplateFacts, Templates,
};
